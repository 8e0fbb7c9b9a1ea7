// Waits until the page is whole: loaded, its fonts there, its pictures decoded, two frames
// drawn and what scripts do at once done.
(async () => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const deadline = performance.now() + 6000;
  while (document.readyState !== 'complete' && performance.now() < deadline) await wait(50);
  for (const image of document.querySelectorAll('img[loading=lazy]')) image.loading = 'eager';
  const pictures = () => [...document.images].every((image) => image.complete);
  while (!pictures() && performance.now() < deadline) await wait(50);
  if (document.fonts) await Promise.race([document.fonts.ready, wait(2000)]);
  await Promise.race([
    new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    wait(1000),
  ]);
  await wait(250);
  window.scrollTo(0, 0);
  return true;
})()
