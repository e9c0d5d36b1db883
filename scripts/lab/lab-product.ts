import path from 'node:path';
import type { Parts } from '../image/check-parts.ts';
import { describeProduct, type Product } from '../image/product.ts';
import { stageProduct } from '../image/stage.ts';
import { mergeTrees, type TreeEntry } from '../image/tree.ts';
import { componentTree } from '../image/write-component.ts';
import { buildPart } from './build-part.ts';

/**
 * How the product gets onto the virtual board: laid into the image as it is, through the part that OpenHarmony's build
 * would take, or not at all, as on a board that nobody has deployed to.
 */
export type ProductForm = 'staged' | 'part' | 'none';

/** What the lab's product is made from. */
export interface LabProductSources {
  readonly repository: string;
  readonly dist: string;
  readonly root: 'image' | 'stock';
  readonly parts: Parts;
  /** Further files of the product. */
  readonly more: readonly TreeEntry[];
}

/** The product with the lab's own parts, which are Debian's; the bill of materials is left out. */
export async function labProduct(sources: LabProductSources): Promise<Product> {
  const { repository, dist, root, parts, more } = sources;
  const overlay = path.join(repository, 'sysroot-overlay');
  const staged = await stageProduct({ overlay, dist, parts, root });
  return describeProduct({ version: '0.0.0-lab', bill: '{}\n', overlay, tree: mergeTrees(staged, more) });
}

/** The paths that a form puts into the image. */
export async function productEntries(product: Product, form: ProductForm): Promise<readonly TreeEntry[]> {
  if (form === 'none') return [];
  return form === 'part' ? buildPart(await componentTree(product, { secon: 'su' })) : product.entries;
}
