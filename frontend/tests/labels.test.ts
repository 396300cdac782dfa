import { expect, it } from 'vitest'
import { absent } from '@/labels'

it('says of a null whether nothing was found, is known or was logged', () => {
  expect(['attack', 'bot', 'country', 'route', 'referer', 'user'].map(absent)).toEqual([
    'value.no',
    'value.no',
    'value.unknown',
    'value.unknown',
    'value.none',
    'value.none',
  ])
})
