import type { CloudFinding } from './cloud-findings.ts';
import type { Account, Kube, Right } from './kube.ts';

/** Where KubeEdge's chart and its plain manifests put cloudcore. */
const account: Account = { namespace: 'kubeedge', name: 'cloudcore' };

/** A right that what agents and edgecores say depends on, and what is lost without it. */
interface Need {
  readonly rights: readonly [Right, ...Right[]];
  readonly severity: 'warning' | 'error';
  readonly lost: string;
}

const always: readonly Need[] = [
  {
    rights: [{ verb: 'patch', resource: 'nodes', subresource: 'status' }],
    severity: 'error',
    lost: 'no condition of an agent, and from 1.12 on no status of edgecore, reaches a Node',
  },
  {
    rights: [{ verb: 'create', resource: 'events', namespace: 'default' }],
    severity: 'warning',
    lost: 'restarts, holds and repairs of a board never become events of its Node, without a word',
  },
];

/** cloudcore then writes in the node's name (kubeedge cloud/pkg/common/client/impersonation.go); no manifest of KubeEdge allows it. */
const whereEnforced: Need = {
  rights: [
    { verb: 'impersonate', resource: 'users' },
    { verb: 'impersonate', resource: 'groups', name: 'system:nodes' },
  ],
  severity: 'error',
  lost: 'with cloudHub.authorization on nothing that a node says reaches Kubernetes',
};

/** Checks what cloudcore's account may do: it loses what it may not write, and says so in its own log at most. */
export async function accountFindings(kube: Kube, isEnforcing: boolean): Promise<readonly CloudFinding[]> {
  const found = await kube.read({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: account });
  if (found === undefined) {
    const message = `there is no ServiceAccount ${account.namespace}/${account.name}, so cloudcore has a kubeconfig of its own; its rights were not looked at`;
    return [{ severity: 'note', title: "cloudcore's rights", message }];
  }
  const needs = isEnforcing ? [...always, whereEnforced] : always;
  return Promise.all(needs.map((need) => findingOf(kube, need)));
}

async function findingOf(kube: Kube, { rights, severity, lost }: Need): Promise<CloudFinding> {
  const [{ verb, subresource }] = rights;
  const resources = rights.map(({ resource }) =>
    subresource === undefined ? resource : `${resource}/${subresource}`,
  );
  const title = `cloudcore may ${verb} ${resources.join(' and ')}`;
  const answers = await Promise.all(rights.map((right) => kube.allows(account, right)));
  if (answers.every((answer) => answer === true)) return { severity: 'ok', title, message: 'it may' };
  if (answers.includes(undefined)) {
    const message = 'this kubeconfig may not ask; use one that may create subjectaccessreviews';
    return { severity: 'note', title, message };
  }
  const role = `cloudcore-${verb}-${resources.join('-').replaceAll('/', '-')}`;
  const subject = `--serviceaccount=${account.namespace}:${account.name}`;
  const fix = `kubectl create clusterrole ${role} --verb=${verb} --resource=${resources.join(',')} && kubectl create clusterrolebinding ${role} --clusterrole=${role} ${subject}`;
  return { severity, title, message: `it may not: ${lost}; allow it: ${fix}` };
}
