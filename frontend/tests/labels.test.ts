import { expect, it } from 'vitest'
import { absent, label } from '@/labels'

it('says of a null whether nothing was found, is known or was logged', () => {
  expect(['attack', 'bot', 'query', 'country', 'route', 'referer', 'user'].map(absent)).toEqual([
    'value.no',
    'value.no',
    'value.no',
    'value.unknown',
    'value.unknown',
    'value.none',
    'value.none',
  ])
})

it("names the private network in the reader's language and leaves a public one as it is called", () => {
  expect(['private', 'Example Net'].map(name => label('network', name, 'en'))).toEqual([
    'private network',
    'Example Net',
  ])
})
