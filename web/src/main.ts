import { createApp, watchEffect } from 'vue'
import App from './App.vue'
import { handle } from './keys/keyboard'
import { language, theme } from './settings/settings'
import './style/tokens.css'
import './style/base.css'

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
createApp(App).mount('#app')
