/** Does `work` for each item, a few at a time, and gives the results in the order of the items. */
export async function* inOrder<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const begun: Promise<R>[] = [];
  let next = 0;
  const begin = () => {
    if (next === items.length) return;
    const promise = work(items[next++] as T);
    promise.catch(() => undefined); // heard when its turn comes, if it comes
    begun.push(promise);
  };
  for (let i = 0; i < atOnce; i++) begin();
  for (let first = begun.shift(); first !== undefined; first = begun.shift()) {
    yield await first;
    begin();
  }
}
