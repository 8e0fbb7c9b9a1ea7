//! The console in real Chromium: with a mouse and without one, wide and narrow,
//! light and dark.

mod entrance;
mod updates;

use anyhow::{Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::browser::Browser;
use pressroom_testkit::plugin::PluginPackage;
use pressroom_tests::fixture::{EMAIL, Fixture, PASSWORD};

const DOMAIN: &str = "front.press.example";

/// Says once per page load that nobody reloaded it.
const MARK: &str = "(window.notReloaded = true)";

async fn sign_in(browser: &Browser, fixture: &Fixture) -> Result<()> {
    browser.goto(&format!("{}/", fixture.server.url())).await?;
    browser.fill("input[name=email]", EMAIL).await?;
    browser.fill("input[name=password]", PASSWORD).await?;
    browser.click("main button[type=submit]").await?;
    browser.wait_until("location.pathname === '/fleet'").await
}

fn quiet(browser: &Browser) -> Result<()> {
    let errors = browser.console_errors();
    ensure!(errors.is_empty(), "the browser complained: {errors:#?}");
    Ok(())
}

#[tokio::test]
async fn a_person_signs_in_watches_a_job_and_sees_the_fleet() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let browser = Browser::start("console").await?;

    // Without a session every page leads to the entrance, and back after it.
    browser
        .goto(&format!("{}/jobs", fixture.server.url()))
        .await?;
    browser.wait_for("input[name=password]").await?;
    browser.fill("input[name=email]", EMAIL).await?;
    browser
        .fill("input[name=password]", "wrong wrong wrong")
        .await?;
    browser.click("main button[type=submit]").await?;
    browser.wait_for("#problem").await?;
    // The browser itself notes the refused status; that is no fault of the page.
    let noted = browser.console_errors();
    ensure!(
        noted.iter().all(|line| line.contains("401")),
        "the browser complained: {noted:#?}"
    );
    sign_in(&browser, &fixture).await?;
    browser.wait_for_text("No sites yet").await?;

    // A job's output appears as it runs, without a reload.
    fixture.add_domain(DOMAIN).await?;
    let started = fixture.start_install(DOMAIN).await?.expect(201)?;
    let job = started.string("job_id")?;
    browser
        .goto(&format!("{}/jobs/{job}", fixture.server.url()))
        .await?;
    browser.script::<bool>(MARK).await?;
    browser
        .wait_until("document.querySelector('#output').textContent.includes('unpacked')")
        .await?;
    browser.screenshot("job-running").await?;
    browser.wait_for(".badge-good").await?;
    browser
        .wait_until(
            "document.querySelector('#output').textContent.includes('answers with status 200')",
        )
        .await?;
    ensure!(
        browser
            .script::<bool>("window.notReloaded === true")
            .await?,
        "the page was reloaded"
    );
    ensure!(browser.text().await?.contains("100 %"));
    browser.screenshot("job-done").await?;

    browser.click("nav a[href='/fleet']").await?;
    browser.wait_for_text(DOMAIN).await?;
    browser.wait_for_text("6.5.5").await?;
    browser.screenshot("fleet").await?;

    // The table filters while one types.
    browser.fill("#filter", "no such site").await?;
    browser.wait_for_text("No site matches").await?;
    browser.fill("#filter", "front").await?;
    browser.wait_for_text(DOMAIN).await?;
    quiet(&browser)?;

    browser.click("form[action='/sign-out'] button").await?;
    browser.wait_for("input[name=password]").await?;
    browser
        .goto(&format!("{}/fleet", fixture.server.url()))
        .await?;
    browser.wait_for("input[name=password]").await?;
    quiet(&browser)?;
    browser.close().await
}

#[tokio::test]
async fn an_update_is_started_and_followed_with_the_keyboard_alone() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(DOMAIN).await?;
    let old = PluginPackage::new("sample").files(20);
    site.plant_plugin(&old, "sample")?;
    let new = old.clone().version("1.1.0");
    fixture.offer(&new)?;
    // The console shows what an inspection found; a refused update inspects as well
    // as any other, and changes nothing.
    fixture
        .update_plugin(&site, "not-there")
        .await?
        .expect(404)?;

    let browser = Browser::start("keyboard").await?;
    browser.goto(&format!("{}/", fixture.server.url())).await?;
    browser.wait_for("input[name=email]").await?;
    browser.tab_to("input[name=email]").await?;
    browser.type_text(EMAIL).await?;
    browser.press("Tab").await?;
    browser.type_text(PASSWORD).await?;
    browser.press("Enter").await?;
    browser.wait_until("location.pathname === '/fleet'").await?;

    // The first stop leads past the navigation.
    browser.press("Tab").await?;
    ensure!(
        browser
            .script::<bool>("document.activeElement.matches('.skip')")
            .await?
    );
    // `/` goes to the filter from anywhere.
    browser.press("/").await?;
    ensure!(
        browser
            .script::<bool>("document.activeElement.id === 'filter'")
            .await?
    );
    browser.type_text("front").await?;
    browser.wait_for_text(DOMAIN).await?;
    browser.tab_to("a.row-target").await?;
    ensure!(
        browser
            .script::<bool>(
                "(s => s.outlineStyle !== 'none' || s.boxShadow !== 'none')\
                 (getComputedStyle(document.activeElement)) || \
                 (s => s.outlineStyle !== 'none' || s.boxShadow !== 'none')\
                 (getComputedStyle(document.activeElement, '::after'))"
            )
            .await?,
        "one cannot see where the focus is"
    );
    browser.press("Enter").await?;
    browser.wait_for_text("Recent jobs").await?;
    browser.tab_to("button[aria-label^='Update']").await?;
    browser.press("Enter").await?;
    browser
        .wait_until("location.pathname.startsWith('/jobs/')")
        .await?;
    browser.wait_for(".badge-good").await?;
    browser.wait_for_text("1.1.0").await?;
    browser.screenshot("update-done").await?;
    site.front_page_with(&new.mark()).await?;
    quiet(&browser)?;
    browser.close().await
}

#[tokio::test]
async fn a_snapshot_is_taken_verified_and_restored() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(DOMAIN).await?;
    let uploads = site.root.join("wp-content/uploads");
    std::fs::create_dir_all(&uploads)?;
    let letter = uploads.join("letter.txt");
    std::fs::write(&letter, "as it was")?;
    site.own(&uploads)?;
    let browser = Browser::start("snapshots").await?;
    sign_in(&browser, &fixture).await?;
    browser.wait_for_text(DOMAIN).await?;
    browser.click("a.row-target").await?;
    browser
        .wait_for_text("There is no snapshot of this site yet")
        .await?;
    // Its files are what was installed; of the rest it says that it does not know.
    browser.click("form[action$='/files'] button").await?;
    browser
        .wait_for_text("exactly what their packages hold")
        .await?;
    browser.wait_for_text("WordPress").await?;
    browser.screenshot("files").await?;
    browser.click("nav a[href^='/sites/']").await?;
    browser
        .wait_for_text("There is no snapshot of this site yet")
        .await?;
    let address = browser.script::<String>("location.pathname").await?;
    let address = format!("{}{address}", fixture.server.url());
    browser.fill("input[name=note]", "before the ruin").await?;
    browser.click("form[action$='/snapshots'] button").await?;
    finished(&browser).await?;

    std::fs::write(&letter, "ruined")?;
    browser.goto(&address).await?;
    browser.wait_for_text("before the ruin").await?;
    browser.screenshot("site-snapshots").await?;
    browser.click("a[href*='/snapshots/']").await?;
    browser.wait_for_text("read back whole").await?;
    browser.screenshot("snapshot").await?;
    browser.click("form[action$='/verify'] button").await?;
    finished(&browser).await?;
    browser.goto(&address).await?;
    browser.click("a[href*='/snapshots/']").await?;
    browser.wait_for("a[href$='/restore']").await?;
    browser.click("a[href$='/restore']").await?;
    browser.wait_for_text("Every file and every table").await?;
    browser.screenshot("snapshot-restore").await?;
    ensure!(
        std::fs::read_to_string(&letter)? == "ruined",
        "a question restored it"
    );
    browser.click("main form button").await?;
    finished(&browser).await?;
    ensure!(std::fs::read_to_string(&letter)? == "as it was");

    // The ruin was kept first; it goes, and the other one stays.
    browser.goto(&address).await?;
    browser.wait_for_text("before restoring").await?;
    browser.click("a[href*='/snapshots/']").await?;
    browser.wait_for("a[href$='/remove']").await?;
    browser.click("a[href$='/remove']").await?;
    browser.wait_for_text("deleted for good").await?;
    browser.click("main form button").await?;
    browser.wait_for_text("before the ruin").await?;
    let left = browser
        .script::<i64>("document.querySelectorAll(\"a[href*='/snapshots/']\").length")
        .await?;
    ensure!(left == 1, "{left} are left");
    quiet(&browser)?;
    browser.close().await
}

/// The page of a job that was just started: it ends well.
async fn finished(browser: &Browser) -> Result<()> {
    browser
        .wait_until("location.pathname.startsWith('/jobs/')")
        .await?;
    browser
        .wait_until("!!document.querySelector('.badge-good, .badge-bad')")
        .await?;
    let text = browser.text().await?;
    ensure!(text.contains("Completed"), "the job says: {text}");
    Ok(())
}

#[tokio::test]
async fn pages_fit_a_phone_and_the_dark() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(DOMAIN).await?;
    let browser = Browser::start("narrow").await?;
    browser.resize(360, 740).await?;
    sign_in(&browser, &fixture).await?;
    let jobs = fixture.settled_jobs().await?;
    let job = jobs[0]["public_id"].as_str().unwrap_or_default().to_owned();
    let address = browser
        .script::<String>("document.querySelector('a.row-target').getAttribute('href')")
        .await?;
    ensure!(
        address.starts_with("/sites/"),
        "{} links to {address}",
        site.id
    );
    for scheme in ["light", "dark"] {
        browser.prefer_color_scheme(scheme).await?;
        for (name, path) in [
            ("fleet", "/fleet"),
            ("site", address.as_str()),
            ("pipelines", "/pipelines"),
            ("jobs", "/jobs"),
            ("job", &format!("/jobs/{job}")),
        ] {
            browser
                .goto(&format!("{}{path}", fixture.server.url()))
                .await?;
            browser.wait_for("h1").await?;
            browser.screenshot(&format!("{name}-{scheme}")).await?;
            let width = browser
                .script::<i64>("document.documentElement.scrollWidth")
                .await?;
            ensure!(width <= 360, "{name} is {width} wide on a phone");
            legible(&browser, name, scheme).await?;
        }
    }
    quiet(&browser)?;
    browser.close().await
}

/// The scheme is followed, and the heading stands out from the page (WCAG AA).
async fn legible(browser: &Browser, name: &str, scheme: &str) -> Result<()> {
    let look = "(() => {
        const parts = color => {
            const canvas = document.createElement('canvas');
            const context = canvas.getContext('2d');
            context.fillStyle = color;
            context.fillRect(0, 0, 1, 1);
            return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
        };
        const light = color => {
            const [r, g, b] = parts(color).map(v => v / 255)
                .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const opaque = e => {
            for (; e; e = e.parentElement) {
                const color = getComputedStyle(e).backgroundColor;
                if (!/, 0\\)|transparent/.test(color)) return color;
            }
            return 'white';
        };
        const heading = document.querySelector('h1');
        const back = light(opaque(heading));
        const front = light(getComputedStyle(heading).color);
        return [back, (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05)];
    })()";
    let (background, contrast) = browser.script::<(f64, f64)>(look).await?;
    ensure!(
        (background < 0.5) == (scheme == "dark"),
        "{name} does not follow the {scheme} scheme: {background}"
    );
    ensure!(
        contrast >= 4.5,
        "{name} in {scheme} has a contrast of {contrast}"
    );
    Ok(())
}
