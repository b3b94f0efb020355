import { messages, translate } from '../i18n'

export const t = translate(
  messages(
    {
      title: 'Sign in',
      asks: 'This server asks for an API key or a token.',
      label: 'API key or token',
      held: 'It is held until this tab is closed, and stored nowhere else.',
      enter: 'Sign in',
      trying: 'Trying …',
      cancel: 'Not now',
      refused: 'The key or token is not valid, or has expired. Check that all of it was copied.',
      noServer: 'The server could not be reached. Try again.',
      leaveTitle: 'Sign out',
      leaveAsk:
        'What is open will be closed. Recent documents are kept in this browser, where whoever uses it next can read them.',
      leaveForget: 'Sign out and delete them',
      leaveKeep: 'Sign out and keep them',
    },
    {
      title: '登录',
      asks: '此服务器需要 API 密钥或令牌。',
      label: 'API 密钥或令牌',
      held: '仅保留到此标签页关闭为止，不会保存到其他地方。',
      enter: '登录',
      trying: '正在验证……',
      cancel: '暂不',
      refused: '密钥或令牌无效或已过期。请检查是否完整复制。',
      noServer: '无法连接服务器，请重试。',
      leaveTitle: '退出登录',
      leaveAsk: '打开的文档将被关闭。最近的文档保存在此浏览器中，之后使用此浏览器的人可以看到。',
      leaveForget: '退出并删除',
      leaveKeep: '退出并保留',
    },
  ),
)
