// Opens every page of a folder in headless Chromium; see .ci/html.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { chromium } = require('playwright-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const [, , folder, executablePath] = process.argv;
const VIEWS = [
    { name: 'phone', viewport: { width: 390, height: 844 }, colorScheme: 'light', isMobile: true, deviceScaleFactor: 2 },
    { name: 'phone-dark', viewport: { width: 360, height: 740 }, colorScheme: 'dark', isMobile: true },
    { name: 'desktop', viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
    { name: 'desktop-dark', viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
];

async function check(page, fail) {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) fail(`the page is ${wide} pixels wider than the screen`);
    // What is folded is checked too.
    await page.evaluate(() => document.querySelectorAll('details').forEach((fold) => (fold.open = true)));
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    for (const violation of found.violations) {
        fail(`axe: ${violation.id}: ${violation.help}: ${violation.nodes[0].html.slice(0, 160)} (${violation.nodes.length})`);
    }
    await page.evaluate(() => document.querySelectorAll('details').forEach((fold) => (fold.open = false)));
}

async function keyboard(page, fail) {
    await page.keyboard.press('Tab');
    const first = await page.evaluate(() => document.activeElement.className);
    if (first !== 'skip') fail(`the first stop of the keyboard is ${first}, not the link that skips to the findings`);
    const wanted = await page.evaluate(
        () => document.querySelectorAll('a, summary, pre, .scroll').length - document.querySelectorAll('details:not([open]) .scroll').length,
    );
    let reached = 1;
    for (; reached < wanted + 5; reached++) {
        await page.keyboard.press('Tab');
        if (await page.evaluate(() => document.activeElement === document.body)) break;
    }
    if (reached < wanted) fail(`the keyboard reaches ${reached} of ${wanted} links, folds and pictures`);
}

async function main() {
    const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'poolgate-html-'));
    const faults = [];
    try {
        for (const view of VIEWS) {
            const { name, ...options } = view;
            const browser = await chromium.launchPersistentContext(path.join(profile, name), {
                executablePath,
                headless: true,
                chromiumSandbox: false,
                args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
                    '--disable-component-update', '--disable-sync'],
                bypassCSP: true,
                ...options,
            });
            for (const file of fs.readdirSync(folder).filter((file) => file.endsWith('.html')).sort()) {
                const stem = path.basename(file, '.html');
                const fail = (text) => faults.push(`${stem} (${name}): ${text}`);
                const page = await browser.newPage();
                page.on('console', (message) => message.type() === 'error' && fail(`console: ${message.text()}`));
                page.on('pageerror', (error) => fail(`script: ${error.message}`));
                page.on('request', (request) => request.url().startsWith('file:') || fail(`a request: ${request.url()}`));
                await page.goto(`file://${path.resolve(folder, file)}`);
                await page.screenshot({ path: path.join(folder, `${stem}-${name}.png`), fullPage: true });
                await check(page, fail);
                if (name === 'desktop') {
                    await page.reload();
                    await keyboard(page, fail);
                    await page.emulateMedia({ media: 'print', colorScheme: 'light' });
                    await page.setViewportSize({ width: 760, height: 1000 });
                    await page.screenshot({ path: path.join(folder, `${stem}-print.png`), fullPage: true });
                    await page.pdf({ path: path.join(folder, `${stem}.pdf`), format: 'A4' });
                }
                await page.close();
            }
            await browser.close();
        }
    } finally {
        fs.rmSync(profile, { recursive: true, force: true });
    }
    if (faults.length > 0) {
        console.error([...new Set(faults)].join('\n'));
        process.exit(1);
    }
    console.log(`no fault; pictures in ${folder}`);
}

main();
