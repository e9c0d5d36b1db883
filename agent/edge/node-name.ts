/** Longest name of a Node object. */
const maxLength = 253;
/** What the kubelet inside edgecore accepts as hostnameOverride (apimachinery IsDNS1123Subdomain). */
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** Names that every board has: a cluster could tell only one of them. */
const meaningless = new Set(['localhost', 'localhost.localdomain', 'openharmony', 'ohos', '(none)', 'none']);

/** Says in one clause what is wrong with a node name, or undefined where it can be used. */
export function nodeNameProblem(name: string): string | undefined {
  if (name === '') return 'is empty; give one with --node-name or node.name in agent.yaml';
  if (name.length > maxLength) return `has ${name.length} characters, want at most ${maxLength}`;
  if (meaningless.has(name.toLowerCase())) {
    return 'is what every board is called; give one that no other board has, with --node-name';
  }
  if (/[A-Z]/.test(name) && subdomain.test(name.toLowerCase())) {
    return `has capitals; use "${name.toLowerCase()}"`;
  }
  if (!subdomain.test(name)) {
    return 'is no DNS name; want lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit';
  }
  return undefined;
}
