// The time now, in ms, moving once a second while somebody looks.
import { readonly, ref } from 'vue'

const at = ref(Date.now())
setInterval(() => {
  if (document.visibilityState === 'visible') at.value = Date.now()
}, 1000)

export const clock = readonly(at)
