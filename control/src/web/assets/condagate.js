// What pages do beyond links and forms. Everything here is an extra: without it the pages work.

const all = (selector, root = document) => [...root.querySelectorAll(selector)]

// Exact times in the viewer's zone.
function localTimes(root) {
  for (const time of all('time[datetime]', root)) {
    const at = new Date(time.dateTime)
    time.title = at.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' })
    if (time.dataset.clock !== undefined) time.textContent = at.toLocaleTimeString()
    if (time.dataset.date !== undefined) time.textContent = at.toLocaleDateString(undefined, { dateStyle: 'medium' })
  }
}

// Copies the text of the field or command that a button names, and says so.
async function copy(button) {
  const from = document.getElementById(button.dataset.copy)
  const text = from.value ?? from.querySelector('pre').textContent
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    // Over plain HTTP browsers have no clipboard for pages: the text is marked, to be copied by key.
    const field = from.select ? from : from.querySelector('pre')
    field.select ? field.select() : getSelection().selectAllChildren(field)
    if (!document.execCommand('copy')) return
  }
  const status = document.getElementById('copied')
  if (status && button.closest('.notice')) status.textContent = 'Copied'
  copied = true
  button.classList.add('done')
  setTimeout(() => button.classList.remove('done'), 2000)
}

// The once-only notification: what it shows can't be had again.
let copied = false
const notice = document.querySelector('.notice')
function closeNotice() {
  notice.remove()
  removeEventListener('beforeunload', ask)
}
function ask(event) {
  if (copied) return
  event.preventDefault()
  // Whoever stays may send the form again that would have left.
  setTimeout(allowSending)
}
if (notice) {
  // Coming back, or loading again, is the page below: a form's answer can't be had again.
  history.replaceState(null, '', notice.querySelector('a[data-close]').href)
  document.getElementById('copied').textContent = 'Not copied yet'
  addEventListener('beforeunload', ask)
  // What a browser keeps of the page to go back to has no value in it.
  addEventListener('pagehide', closeNotice)
}

function selectTab(tab) {
  for (const other of all('[role=tab]', tab.closest('[role=tablist]'))) {
    const on = other === tab
    other.setAttribute('aria-selected', on)
    other.tabIndex = on ? 0 : -1
    document.getElementById(other.getAttribute('aria-controls')).hidden = !on
  }
}

addEventListener('click', event => {
  const button = event.target.closest('[data-copy]')
  if (button) copy(button)
  const tab = event.target.closest('[role=tab]')
  if (tab) { event.preventDefault(); selectTab(tab) }
  for (const menu of all('.menu[open]')) if (!menu.contains(event.target)) menu.open = false
})

addEventListener('keydown', event => {
  const tab = event.target.closest?.('[role=tab]')
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
  if (tab && step) {
    const tabs = all('[role=tab]', tab.closest('[role=tablist]'))
    const next = tabs.at((tabs.indexOf(tab) + step) % tabs.length)
    selectTab(next)
    next.focus()
  }
  if (event.key !== 'Escape') return
  const menu = document.querySelector('.menu[open]')
  if (menu) { menu.open = false; menu.querySelector('summary').focus() }
  else document.querySelector('[data-cancel]')?.click()
})

// A dialog is a page of its own: on the way back to the one below it the keyboard goes on at what had
// opened it, a link to its address or a form that was sent there.
const LEFT = 'left'
addEventListener('click', event => {
  if (event.target.closest('[data-cancel]')) sessionStorage.setItem(LEFT, location.href)
})
const left = sessionStorage.getItem(LEFT)
sessionStorage.removeItem(LEFT)
const leads = (element, name) => new URL(element.getAttribute(name), location.href).href === left
if (left && !document.querySelector('dialog')) {
  const link = all('a[href]').find(link => leads(link, 'href'))
  const form = all('form[action]').find(form => leads(form, 'action'))
  ;(form?.querySelector('button:not([type=button])') ?? link)?.focus()
}

// A form is sent once: whoever clicks twice means it once.
addEventListener('submit', event => {
  const form = event.target
  if (form.method !== 'post') return
  if (form.dataset.sent) event.preventDefault()
  form.dataset.sent = 'yes'
})
function allowSending() {
  for (const form of all('form')) delete form.dataset.sent
}
addEventListener('pageshow', allowSending)

document.addEventListener('htmx:afterSwap', event => localTimes(event.target))
localTimes(document)
document.querySelector('[aria-invalid=true]')?.focus()
