/** What a person meets: how far the page sticks out, what a screen reader is told, the worst contrast of its text. */
export const survey = `(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number)
  const light = (text) => {
    const [r, g, b] = rgb(text).slice(0, 3).map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element) => {
    const colour = getComputedStyle(element).backgroundColor
    return rgb(colour)[3] === 0 ? behind(element.parentElement) : colour
  }
  const contrast = (element) => {
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))].sort((x, y) => y - x)
    return (a + 0.05) / (b + 0.05)
  }
  const texts = [...document.body.querySelectorAll('*')].filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
  const count = (selector) => document.querySelectorAll(selector).length
  return {
    sticksOut: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    worstContrast: Math.min(...texts.map(contrast)),
    lang: document.documentElement.lang,
    titled: document.title.length > 0,
    mains: count('main'),
    h1s: count('h1'),
    headless: [...document.querySelectorAll('table')].filter((table) => !table.querySelector('th[scope]')).length,
    scripts: count('script'),
    smallLinks: [...document.querySelectorAll('a, summary, button')].filter((e) => e.checkVisibility()).filter((e) => { const { width, height } = e.getBoundingClientRect(); return width < 44 || height < 44 }).length,
  }
})()`
