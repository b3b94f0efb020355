/** Texts of the panel beside the image. */
import { messages, translate } from '../i18n'
import { en } from './words.en'
import { zh } from './words.zh'

export const t = translate(messages(en, zh))
