(() => {
  // What a reader would trip over on the page as it is laid out now.
  const channels = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = (top, base, share = 1) => base.map((low, at) => low + (top[at] - low) * (top[3] ?? 1) * share);
  const chain = (element) => element ? [...chain(element.parentElement), element] : [];
  const opacity = (element) => chain(element).reduce((all, one) => all * getComputedStyle(one).opacity, 1);
  const shapes = (element) => {  // what of a picture lies under the middle of its text
    const box = element.getBoundingClientRect();
    return document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2).reverse()
      .filter((one) => ["rect", "circle"].includes(one.localName) || (one.localName === "path" && one.closest(".heat")));
  };
  const behind = (element) => {
    let base = [255, 255, 255];
    for (const one of chain(element)) base = over(channels(getComputedStyle(one).backgroundColor), base, opacity(one));
    if (element.ownerSVGElement)
      for (const one of shapes(element)) base = over(channels(getComputedStyle(one).fill), base, opacity(one));
    return base;
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.map((value) => value / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const pale = [], small = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, style = getComputedStyle(element);
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest("title, style")) continue;
    const drawn = element.ownerSVGElement, ground = behind(element);
    const ink = over(channels(drawn ? style.fill : style.color), ground, opacity(element));
    const [dark, light] = [luminance(ink), luminance(ground)].sort((a, b) => a - b);
    const size = parseFloat(style.fontSize) * (drawn ? element.getScreenCTM().a : 1), ratio = (light + 0.05) / (dark + 0.05);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) pale.push(`${element.className.baseVal ?? element.className} ${walker.currentNode.data.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
    if (size < 9) small.push(`${walker.currentNode.data.trim().slice(0, 30)}: ${size.toFixed(1)}`);
    texts += 1;
  }
  const scrolls = [...document.querySelectorAll(".scroll")].filter((one) => one.checkVisibility());
  const tall = [...document.querySelectorAll("th, .subject, .name, .legend li, figcaption")].map((one) => one.getBoundingClientRect().height);
  const hint = (one) => parseFloat(getComputedStyle(one.parentElement, "::before").height) || 0;
  return {
    texts, pale, small,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    tallest: Math.max(...tall),
    cut: scrolls.filter((one) => one.scrollWidth > one.clientWidth + 1).length,
    unsaid: scrolls.filter((one) => (one.scrollWidth > one.clientWidth + 1) !== hint(one) > 8).map((one) => one.ariaLabel + " " + hint(one)),
    unreachable: scrolls.filter((one) => one.tabIndex !== 0 || !one.ariaLabel).length,
    flat: [...document.querySelectorAll("svg.plot")].filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 80).length,
  };
})()
