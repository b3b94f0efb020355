import { createApp, watchEffect } from 'vue'
import { ApiError } from './api/client'
import App from './App.vue'
import { handle } from './keys/keyboard'
import { language, theme } from './settings/settings'
import { say } from './shell/messages'
import { t } from './shell/text'
import './style/tokens.css'
import './style/base.css'
import { explained } from './understand/problems'

const dark = matchMedia('(prefers-color-scheme: dark)')

function paint(): void {
  const chosen = theme.value === 'system' ? (dark.matches ? 'dark' : 'light') : theme.value
  document.documentElement.dataset['theme'] = chosen
}

watchEffect(paint)
watchEffect(() => {
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en'
})
dark.addEventListener('change', paint)
addEventListener('keydown', handle)

/** Nothing fails in silence: what nobody caught is said. */
function broken(error: unknown): void {
  console.error(error)
  if (error instanceof DOMException && error.name === 'AbortError') return
  if (error instanceof ApiError) say(explained(error.problem, language.value).title, 'bad')
  else say(t('broken'), 'bad')
}

addEventListener('unhandledrejection', (event) => broken(event.reason))
const app = createApp(App)
app.config.errorHandler = broken
app.mount('#app')
