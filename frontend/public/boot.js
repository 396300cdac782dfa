// Sets theme and language before the first paint. A file of its own: the page allows no inline script.
;(() => {
  const root = document.documentElement
  try {
    const theme = localStorage.getItem('logvision.theme')
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme
    const language = localStorage.getItem('logvision.language')
    const chinese = language === 'zh' || (!language && navigator.language.toLowerCase().startsWith('zh'))
    root.lang = chinese ? 'zh-CN' : 'en'
  } catch {
    root.lang = 'en' // storage is switched off: the system's theme, English
  }
})()
