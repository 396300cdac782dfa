import { expect, it } from 'vitest'
import type { Incident } from '@/api/types'
import { readExplanation } from '@/explanation'
import { advice, summary } from '@/sentences'

it('reads an explanation, with offsets in characters turned into those of the page', () => {
  const read = readExplanation({
    line: 'raw',
    event: { target: "/😀?id=1' or 1" },
    score: 0.9,
    attack: 'sqli',
    target_spans: [[7, 10]],
    units: [
      {
        field: 'target',
        kind: 'value',
        text: "1' or 1",
        decoding: [['percent', "1' or 1"]],
        rules: [{ rule: 'r', title: 't', spans: [[1, 5]] }],
        ngrams: [['or', 1]],
      },
    ],
  })
  expect("/😀?id=1' or 1".slice(read.targetSpans[0]?.start, read.targetSpans[0]?.end)).toBe("' o")
  expect(read.units[0]).toMatchObject({
    spans: [{ start: 1, end: 5 }],
    decoding: [{ name: 'percent', after: "1' or 1" }],
    ngrams: [{ text: 'or', weight: 1 }],
  })
})

it('survives an explanation of any shape', () => {
  const odd: Record<string, unknown>[] = [
    {},
    { units: null, event: [] },
    { units: [null, 3, { rules: 'x', decoding: [[], 7] }], target_spans: [[5, 1], 'x'] },
  ]
  for (const answer of odd) expect(readExplanation(answer).targetSpans).toEqual([])
})

it('says the summary and the advice in Chinese, and in English what it does not know', () => {
  const one = {
    actor: 'ip:203.0.113.7',
    summary: 'english',
    summary_key: 'actor',
    summary_args: {
      actor: '203.0.113.7',
      members: 1,
      site: 'shop.example',
      country: 'DE',
      attacks: ['sqli', 'xss'],
      events: 12,
      seconds: 90,
      outcome: 'blocked',
    },
    advice: ['english one', 'english two'],
    advice_keys: ['block_actor', 'unheard_of'],
  } as unknown as Incident
  expect(summary(one, 'zh')).toBe(
    '203.0.113.7（德国）在 shop.example 上尝试了SQL 注入、跨站脚本：1 分钟 30 秒内 12 个请求；每次尝试都被拒绝。',
  )
  expect(summary(one, 'en')).toBe('english')
  expect(summary({ ...one, summary_key: 'new' }, 'zh')).toBe('english')
  expect(advice(one, 'zh')).toEqual(['如果你不认识该地址，请将其封禁数日。', 'english two'])
})
