// Words and figures in the reader's language, for templates: `const { t, count } = useLanguage()`.
import * as f from '@/format'
import { language, setLanguage, t, term } from '@/i18n'

type Amount = number | null | undefined
type Moment = string | null | undefined

const words = {
  t,
  term,
  language,
  setLanguage,
  count: (n: Amount) => f.count(n, language.value),
  compact: (n: Amount) => f.compact(n, language.value),
  bytes: (n: Amount) => f.bytes(n, language.value),
  rate: (n: Amount) => f.rate(n, language.value),
  percent: (n: Amount) => f.percent(n, language.value),
  duration: (n: Amount) => f.duration(n, language.value),
  probability: f.probability,
  span: (seconds: Amount) => f.span(seconds, language.value),
  utc: f.utc,
  time: (at: Moment) => f.time(at, language.value),
  dateTime: (at: Moment) => f.dateTime(at, language.value),
  shortDateTime: (at: Moment) => f.shortDateTime(at, language.value),
  dayTime: (at: Moment) => f.dayTime(at, language.value),
  ago: (at: Moment, now: number) => f.ago(at, now, language.value),
  country: (code: Moment) => f.country(code, language.value),
}
export const useLanguage = () => words
