/** Longest value that edgecore takes (kubeedge/kubeedge edge/pkg/devicetwin/dtcommon/dtcommon.go). */
const maxLength = 512;

const plain = /[a-zA-Z0-9\-.,:/@]/;

/**
 * Text as a twin value: edgecore refuses everything but letters, digits and `-_.,:/@#`. A space becomes `_`, every other
 * forbidden byte `#` and two hex digits; what is too long loses its end. An empty text becomes `-`.
 */
export function encodeTwinText(text: string): string {
  let encoded = '';
  for (const character of text) {
    const next = plain.test(character) ? character : character === ' ' ? '_' : hexOf(character);
    if (encoded.length + next.length > maxLength) break;
    encoded += next;
  }
  return encoded === '' ? '-' : encoded;
}

/** Text of a twin value; what no agent ever wrote comes back as it is. */
export function decodeTwinText(value: string): string {
  if (value === '-') return '';
  const spaced = value.replaceAll('_', ' ');
  return spaced.replace(/(?:#[0-9a-f]{2})+/g, (run) => {
    const bytes = run.match(/[0-9a-f]{2}/g) ?? [];
    return new TextDecoder().decode(Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 16)));
  });
}

function hexOf(character: string): string {
  const bytes = [...new TextEncoder().encode(character)];
  return bytes.map((byte) => `#${byte.toString(16).padStart(2, '0')}`).join('');
}
