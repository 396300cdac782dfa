// A value that comes later, e.g. from a chunk that is loaded when it is needed.
import { type ShallowRef, shallowRef } from 'vue'

export function computedAsync<T>(load: () => Promise<T>, before: T): ShallowRef<T> {
  const value = shallowRef(before) as ShallowRef<T>
  void load().then(loaded => {
    value.value = loaded
  })
  return value
}
