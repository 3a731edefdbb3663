// The parts of kustomize that are used here. https://kubectl.docs.kubernetes.io/references/kustomize/

export interface Selector {
  group?: string;
  version?: string;
  kind?: string;
  name?: string;
  labelSelector?: string;
}

export interface JsonPatch {
  op: "test" | "copy" | "add" | "replace" | "remove";
  path: string;
  from?: string;
  value?: unknown;
}

interface ConfigMapArgs {
  behavior?: "create" | "merge" | "replace";
  name: string;
  files?: string[];
  literals?: string[];
  options?: { labels?: Record<string, string>; annotations?: Record<string, string>; disableNameSuffixHash?: boolean };
}

interface Body {
  namespace?: string;
  resources?: string[];
  components?: string[];
  patches?: { target?: Selector; path?: string; patch?: string }[];
  configMapGenerator?: ConfigMapArgs[];
  generatorOptions?: ConfigMapArgs["options"];
  replacements?: {
    source: Selector & { fieldPath: string };
    targets: { select: Selector; fieldPaths: string[]; options?: { create?: boolean } }[];
  }[];
  labels?: { pairs: Record<string, string>; includeTemplates?: boolean }[];
  images?: { name: string; newName?: string; newTag?: string }[];
}

export const kustomization = (body: Body) => ({
  apiVersion: "kustomize.config.k8s.io/v1beta1",
  kind: "Kustomization",
  ...body,
});

export const component = (body: Body) => ({
  apiVersion: "kustomize.config.k8s.io/v1alpha1",
  kind: "Component",
  ...body,
});

/** The object of a strategic merge: any part of it. */
export type Part<T> = T extends readonly unknown[] ? T : T extends object ? { [K in keyof T]?: Part<T[K]> } : T;
