import type { en } from './problems.en'

export const zh: Readonly<Record<keyof typeof en, { readonly title: string; readonly todo: string }>> = {
  INTERNAL: {
    title: '服务器内部出错',
    todo: '这是程序的问题，与您的文档无关。请再试一次；如仍然出错，请把请求编号告诉服务器管理员。',
  },
  INVALID_REQUEST: { title: '服务器不接受某项设置', todo: '请按下面的说明改正后再试。' },
  UNSUPPORTED_FORMAT: {
    title: '无法识别这种文件',
    todo: '请使用 JPEG、PNG、WebP、TIFF、BMP 或 PDF。只改文件名没有用，需要另存为这些格式之一。',
  },
  CORRUPT_DOCUMENT: { title: '文件已损坏', todo: '请用其他程序打开并重新保存，或者重新扫描。' },
  ENCRYPTED_DOCUMENT: { title: 'PDF 需要密码', todo: '请输入密码。如果已经输入，说明密码不正确。' },
  UNAUTHENTICATED: {
    title: '尚未登录',
    todo: '请用 API 密钥或令牌登录。如果已经登录，说明它已失效，请申请新的。',
  },
  FORBIDDEN: { title: '您的密钥没有这项权限', todo: '请向服务器管理员申请带有下述权限的密钥。' },
  NOT_FOUND: { title: '内容已不存在', todo: '服务器只在一定时间内保留已完成的任务。请重新提交文档。' },
  CONFLICT: { title: '与已有内容冲突', todo: '请等待该文档处理结束，或重新提交。' },
  RATE_LIMITED: {
    title: '超出了您的配额',
    todo: '请稍候，内容没有丢失。如果经常出现，请申请更高的配额。',
  },
  OVERLOADED: { title: '服务器繁忙', todo: '该文档尚未开始处理，请稍后再试。' },
  IMAGE_TOO_LARGE: { title: '文档过大', todo: '请缩小图片（300 dpi 已足够），或拆分文档。' },
  MODEL_LOAD_FAILED: {
    title: '服务器没有可用的模型',
    todo: '与您的文档无关。请通知服务器管理员：运行“shizi doctor”可查看缺少什么。',
  },
  OUT_OF_MEMORY: { title: '服务器内存不足', todo: '请稍后再试，或使用更小的图片、更少的页数。' },
  TIMEOUT: { title: '识别超时', todo: '请再试一次。如仍然超时，请减少每次的页数或缩小图片。' },
  ENGINE_UNAVAILABLE: { title: '服务器尚未就绪', todo: '正在加载模型或重新启动，请几秒后再试。' },
  STORAGE_UNAVAILABLE: {
    title: '服务器无法访问数据库',
    todo: '没有任何内容被更改。请稍后再试；如仍然出错，请通知服务器管理员。',
  },
  UNREACHABLE: {
    title: '无法连接服务器',
    todo: '请检查服务器是否在运行、网络是否连通，然后重试。您的更正不会丢失。',
  },
  UNEXPECTED_ANSWER: {
    title: '无法识别服务器返回的内容',
    todo: '可能是中间的代理返回了自己的页面。请重试，或通知服务器管理员。',
  },
  PICTURE_GONE: {
    title: '图像已不再保留',
    todo: '文字仍在。要查看页面或生成 PDF，请重新添加文件。',
  },
  INTERRUPTED: {
    title: '识别多次中断',
    todo: '可能正是该文档导致浏览器退出，因此不会自动重新开始。需要时请点“重试”。',
  },
  BROKEN_PAGE: {
    title: '页面内部出错',
    todo: '这是程序的问题，与您的文档无关。请重试；如仍然出错，请重新加载页面。您的更正会保留。',
  },
  ARCHIVE_TOO_LARGE: { title: '合并后的压缩包过大', todo: '请减少每次导出的文档数。' },
}
