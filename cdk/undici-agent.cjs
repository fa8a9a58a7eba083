// All that we use of undici. Its main file also makes fetch, WebSockets, caches and mocks, 260 KB that nothing can shake
// off; and it is the main file that gives dispatchers their methods.
const Dispatcher = require('undici-whole/lib/dispatcher/dispatcher.js')

Object.assign(Dispatcher.prototype, require('undici-whole/lib/api'))
exports.Agent = require('undici-whole/lib/dispatcher/agent.js')
