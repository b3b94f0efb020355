/** How the page is divided: three columns, two panes with the list in a drawer, or one pane at a time. */
import { computed, ref, watch, type Ref } from 'vue'
import { currentId } from '../documents/store'
import { listFolded } from '../settings/settings'

export type Layout = 'columns' | 'panes' | 'tabs'
export type Tab = 'documents' | 'image' | 'text'

const wide = matches('(min-width: 1100px)')
const narrow = matches('(max-width: 699.98px)')

export const layout = computed<Layout>(() => (wide.value ? 'columns' : narrow.value ? 'tabs' : 'panes'))
/** What is shown where there is room for one. */
export const tab = ref<Tab>('image')
/** The list lies over the panes. */
export const drawer = ref(false)
export const debugShown = ref(false)
export const helpShown = ref(false)

export const listShown = computed(() => {
  if (layout.value === 'columns') return listFolded.value === 'no'
  return layout.value === 'panes' ? drawer.value : tab.value === 'documents'
})

export function toggleList(): void {
  if (layout.value === 'columns') listFolded.value = listFolded.value === 'yes' ? 'no' : 'yes'
  else if (layout.value === 'panes') drawer.value = !drawer.value
  else tab.value = tab.value === 'documents' ? 'image' : 'documents'
}

watch(currentId, () => {
  // whoever chose a document wants to see it
  drawer.value = false
  if (tab.value === 'documents') tab.value = 'image'
})

function matches(query: string): Ref<boolean> {
  const list = matchMedia(query)
  const value = ref(list.matches)
  list.addEventListener('change', (event) => {
    value.value = event.matches
  })
  return value
}
