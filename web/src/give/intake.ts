/** The ways by which files come in, for every component that offers them. */
import { ref, shallowRef } from 'vue'

/** Set by `Intake.vue`, which holds the inputs. */
export const inputs = {
  files: shallowRef<HTMLInputElement | null>(null),
  folder: shallowRef<HTMLInputElement | null>(null),
  photo: shallowRef<HTMLInputElement | null>(null),
}
/** The camera's dialog is open. */
export const cameraOpen = ref(false)

export function pickFiles(): void {
  inputs.files.value?.click()
}

export function pickFolder(): void {
  inputs.folder.value?.click()
}

/** On phones the system's own camera; elsewhere, and where the page may see one, a dialog. */
export function takePhoto(): void {
  if (isHandheld() || !hasCamera()) inputs.photo.value?.click()
  else cameraOpen.value = true
}

/** Browsers give cameras to pages of this machine and of https only; phones' own camera needs none of it. */
export function canTakePhoto(): boolean {
  return hasCamera() || isHandheld()
}

function hasCamera(): boolean {
  return Boolean((navigator as Partial<Navigator>).mediaDevices?.getUserMedia)
}

function isHandheld(): boolean {
  return matchMedia('(pointer: coarse) and (hover: none)').matches
}
