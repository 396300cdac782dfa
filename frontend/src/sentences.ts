// What the server says of incidents in English, said in Chinese from the same key and values. A key that
// is not known here is shown in the server's English.
import type { Incident } from './api/types'
import { count, country, type Language, span } from './format'
import { translate } from './i18n'
import { en } from './i18n/en'

const HOW: Record<string, string> = {
  worked: '至少有一次可能已成功',
  unknown: '是否成功无法判断',
  missed: '其所寻找的内容都不存在',
  blocked: '每次尝试都被拒绝',
  in_vain: '尝试均未成功',
  sign_in_worked: '至少有一个密码可能正确',
  sign_in_missed: '没有一个密码正确',
  flood_worked: '服务器未能承受',
  flood_missed: '服务器承受住了',
}

const ADVICE: Record<string, string> = {
  read_answers: '先查看服务器对标记为“可能已成功”的请求作了什么应答。',
  look_for_files: '检查自首个请求以来网站目录中新出现的文件，以及以网站服务器用户运行的进程。',
  change_secrets: '将该文件移出网站目录，并更换其中的所有密钥和密码。',
  check_database: '在数据库日志中查找该时段的查询，并改用绑定变量向数据库传递该参数。',
  reset_accounts: '找出从这些地址登录过的账户，重置其密码并终止其会话。',
  limit_sign_in: '按账户和地址限制登录尝试次数，并启用第二验证因素。',
  limit_rate: '在网站服务器或其前端限制每个地址的请求速率。',
  update: '确认受攻击的软件已升级到没有此漏洞的版本。',
  block_network: '如果没有访客来自该网络，请将其封禁。',
  block_actor: '如果你不认识该地址，请将其封禁数日。',
  nothing: '无需处理：网站上没有对方所寻找的内容。',
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const number = (value: unknown): number => (typeof value === 'number' ? value : 0)

function inChinese({ summary_key, summary_args: args, actor }: Incident): string | null {
  if (summary_key !== 'actor' && summary_key !== 'campaign') return null
  const members = number(args.members)
  // Of a campaign 1000 addresses are told apart.
  const many = `${count(members, 'zh')} 个${members >= 1000 ? '以上的' : ''}地址`
  const who = actor.startsWith('site:')
    ? many
    : actor.startsWith('agent:')
      ? `使用同一客户端标识的 ${many}`
      : members > 1
        ? `${text(args.actor)} 的 ${many}`
        : text(args.actor)
  const place = text(args.country) ? `（${country(text(args.country), 'zh')}）` : ''
  const where = text(args.site) ? `在 ${text(args.site)} 上` : ''
  const classes = (Array.isArray(args.attacks) ? args.attacks : []).map(one => {
    const key = `attack.${text(one)}`
    return Object.hasOwn(en, key) ? translate('zh', key as keyof typeof en) : text(one)
  })
  const events = number(args.events)
  const much =
    events === 1 ? '1 个请求' : `${span(number(args.seconds), 'zh')}内 ${count(events, 'zh')} 个请求`
  const how = HOW[typeof args.how === 'string' ? args.how : text(args.outcome)]
  return classes.length > 0
    ? `${who}${place}${where}尝试了${classes.join('、')}：${much}${how ? `；${how}` : ''}。`
    : null
}

/** One sentence: what happened. */
export const summary = (incident: Incident, language: Language): string =>
  (language === 'zh' ? inChinese(incident) : null) ?? incident.summary

/** What to do, in order. */
export const advice = (incident: Incident, language: Language): string[] =>
  incident.advice.map(
    (english, i) => (language === 'zh' ? ADVICE[incident.advice_keys[i] ?? ''] : undefined) ?? english,
  )
