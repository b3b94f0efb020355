import { afterEach, describe, expect, it } from 'vitest'
import { language } from '../settings/settings'
import { messages, translate } from '.'

const t = translate(messages({ hello: 'Hello {name}' }, { hello: '你好，{name}' }))

describe('translate', () => {
  afterEach(() => {
    language.value = 'en'
  })

  it('follows the language', () => {
    language.value = 'en'
    expect(t('hello', { name: 'Li' })).toBe('Hello Li')
    language.value = 'zh'
    expect(t('hello', { name: '李' })).toBe('你好，李')
  })

  it('leaves a name without a value as it is', () => {
    language.value = 'en'
    expect(t('hello')).toBe('Hello {name}')
  })
})
