import type { Setting } from './config-text.ts';
import type { KernelOption } from './kernel-option.ts';
import { findOption } from './option-table.ts';

/** Kconfig's three values in rising order. */
export type Tristate = 'n' | 'm' | 'y';

const order: readonly Tristate[] = ['n', 'm', 'y'];

function lower(left: Tristate, right: Tristate): Tristate {
  return order.indexOf(left) < order.indexOf(right) ? left : right;
}

function higher(left: Tristate, right: Tristate): Tristate {
  return lower(left, right) === left ? right : left;
}

/** Tells the value that the kernel's build would give an option. */
export type Resolve = (name: string) => Tristate;

/**
 * Resolves options the way Kconfig does, as far as the table knows parents, selects and defaults: an option is never
 * higher than its parents allow, never lower than what selects it, and takes its default where nothing names it.
 * `isWhole` says that every symbol is named, so that absence means off.
 */
export function optionResolver(config: ReadonlyMap<string, Setting>, isWhole: boolean): Resolve {
  const known = new Map<string, Tristate>();

  function asked(name: string, option: KernelOption | undefined): Tristate {
    const decidesAlone = option?.hidden === true && option.byDefault !== undefined && !isWhole;
    const value = decidesAlone ? undefined : config.get(name)?.value;
    if (value === undefined) return isWhole ? 'n' : (option?.byDefault ?? 'n');
    return value === 'm' || value === 'n' ? value : 'y';
  }

  function limit(option: KernelOption): Tristate {
    let least: Tristate = 'y';
    for (const parent of option.parents ?? []) {
      const best = parent.split('|').map(resolve).reduce(higher, 'n');
      least = lower(least, best);
    }
    return option.module === undefined && least === 'm' ? 'y' : least;
  }

  function compute(name: string): Tristate {
    const option = findOption(name);
    const own = asked(name, option);
    if (option === undefined) return own;
    const allowed = lower(own, limit(option));
    const selected = (option.selectedBy ?? []).map(resolve).reduce(higher, 'n');
    if (selected === 'm' && option.module === undefined) return 'y';
    return higher(allowed, selected);
  }

  function resolve(name: string): Tristate {
    const before = known.get(name);
    if (before !== undefined) return before;
    known.set(name, 'n');
    const value = compute(name);
    known.set(name, value);
    return value;
  }

  return resolve;
}

/** The parents of an option of which no alternative is on. */
export function parentsOff(option: KernelOption, resolve: Resolve): readonly string[] {
  return (option.parents ?? []).filter((parent) => parent.split('|').every((name) => resolve(name) === 'n'));
}
