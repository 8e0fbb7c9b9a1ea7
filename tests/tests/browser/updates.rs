//! A safe update, from the site's page to the end, as a person sees it in a browser.

use super::{legible, quiet, sign_in};
use anyhow::{Context, Result, ensure};
use pressroom_testkit::{Options, browser::Browser, eventually, plugin::zip_of};
use pressroom_tests::fixture::Fixture;
use std::time::Duration;

/// Short, as the path of a socket in its clone must be.
const DOMAIN: &str = "up.press.example";
/// A clone is made, and every page is shown many times.
const PATIENCE: Duration = Duration::from_mins(5);

/// A plugin that says its version at the foot of each page. The second version also has
/// headings look otherwise and a script complain on every page: worth a look, and no reason
/// to leave it out.
fn plugin(version: &str) -> Vec<u8> {
    let more = if version == "1.0.0" {
        ""
    } else {
        "echo '<style>h1,h2,h3{background:#222;color:#fff;padding:4px}</style>\
         <script>console.error(\"the gallery is unsure\")</script>';"
    };
    let main = format!(
        "<?php\n/*\nPlugin Name: Gallery Grid\nVersion: {version}\n*/\n\
         add_action('wp_footer', function () {{ echo '<!-- gallery {version} -->'; {more} }});\n"
    );
    zip_of(&[("gallery/gallery.php", &main)])
}

/// Waits longer than a page usually takes.
async fn until(browser: &Browser, expression: &str) -> Result<()> {
    eventually(format!("`{expression}`"), PATIENCE, || async {
        let text = browser.text().await?;
        ensure!(
            browser.script::<bool>(expression).await?,
            "it reads: {text}"
        );
        Ok(())
    })
    .await
}

/// Every picture of the page, fetched as the browser does: its type, its first bytes, how it
/// may be kept, and its size in pixels.
const FETCHED: &str = "(async () => {
    const found = [];
    for (const image of document.querySelectorAll('.pair img')) {
        const reply = await fetch(image.src);
        const bytes = new Uint8Array(await reply.arrayBuffer());
        const view = new DataView(bytes.buffer);
        found.push([
            reply.status,
            reply.headers.get('content-type'),
            reply.headers.get('cache-control'),
            reply.headers.get('x-content-type-options'),
            [...bytes.slice(0, 8)].join(' '),
            view.getUint32(16),
            view.getUint32(20),
            image.alt,
        ].join('|'));
    }
    window.fetchedPictures = found;
})(), true";

#[tokio::test]
async fn an_update_is_begun_watched_seen_and_approved() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(DOMAIN).await?;
    fixture.offer_zip("gallery.1.0.0.zip", &plugin("1.0.0"))?;
    let words = ["plugin", "install", &site.id, "gallery", "--activate"];
    let done = fixture.server.cli(&words, "").await?;
    ensure!(done.code == 0, "{done:?}");
    fixture.offer_zip("gallery.1.1.0.zip", &plugin("1.1.0"))?;

    let browser = Browser::start("updates").await?;
    sign_in(&browser, &fixture).await?;
    browser.wait_for_text(DOMAIN).await?;
    browser.click("a.row-target").await?;
    browser.click("a[href$='/pipeline']").await?;
    // The preview has the exact step.
    browser.wait_for("input[value='plugin:gallery']").await?;
    let text = browser.text().await?;
    ensure!(text.contains("1.0.0 → 1.1.0"), "it reads: {text}");
    browser.screenshot("begin").await?;
    browser.fill("input[name=note]", "a new gallery").await?;
    // By the keyboard alone: past what is ticked, down to the button.
    browser.tab_to("form.begin button[type=submit]").await?;
    browser.press("Enter").await?;

    // The steps arrive by themselves.
    browser
        .wait_until("location.pathname.startsWith('/pipelines/pipe_')")
        .await?;
    browser
        .script::<bool>("(window.notReloaded = true)")
        .await?;
    // News do not pull away what somebody is about to press.
    let cancel = "document.querySelector('form[action$=\"/cancel\"] button')";
    browser
        .script::<bool>(&format!("({cancel}.notReplaced = true)"))
        .await?;
    until(
        &browser,
        "document.querySelectorAll('.stages .step-done').length >= 2",
    )
    .await?;
    browser.screenshot("running").await?;
    until(
        &browser,
        "!!document.querySelector('form[action$=\"/approve\"]')",
    )
    .await?;
    ensure!(
        browser
            .script::<bool>("window.notReloaded === true")
            .await?,
        "the page was reloaded"
    );
    ensure!(
        browser
            .script::<bool>(&format!("{cancel}.notReplaced === true"))
            .await?,
        "the button was replaced"
    );
    // Nor do they fold in what somebody has folded out.
    let folded = browser.script::<bool>(
        "(() => {
            const part = document.getElementById('pipeline');
            const text = part.innerHTML;
            const details = part.querySelector('details[id]');
            details.open = true;
            htmx.swap({ text, target: part, sourceElement: part, swap: 'innerMorph' });
            return details.isConnected && details.open;
        })()",
    );
    ensure!(folded.await?, "the details are folded in again");

    // What was found, alike with alike, and what was seen.
    let text = browser.text().await?;
    for said in [
        "Waits for a yes",
        "a new gallery",
        "the gallery is unsure",
        "times",
        "looks different",
    ] {
        ensure!(text.contains(said), "`{said}` is missing: {text}");
    }
    browser.script::<bool>(FETCHED).await?;
    browser.wait_until("!!window.fetchedPictures").await?;
    let fetched: Vec<String> = browser.script("window.fetchedPictures").await?;
    ensure!(fetched.len() >= 4, "{fetched:#?}");
    for picture in &fetched {
        ensure!(
            picture.starts_with(
                "200|image/png|private, max-age=3600|nosniff|137 80 78 71 13 10 26 10|"
            ),
            "{picture}"
        );
    }
    for (screen, width) in [("desktop", 1280), ("phone", 390)] {
        for moment in ["before", "after"] {
            let alt = format!("/ on a {screen} {moment} the updates");
            let front = fetched.iter().find(|it| it.ends_with(&format!("|{alt}")));
            let front = front.with_context(|| format!("`{alt}` is not among {fetched:#?}"))?;
            // A large one is kept at half its size.
            let fits = [width, width / 2];
            ensure!(
                fits.iter().any(|it| front.contains(&format!("|{it}|"))),
                "{front}"
            );
        }
    }
    // They are shown, and what changed is marked.
    let shown = "(() => { const image = document.querySelector('.pair img'); \
                 image.scrollIntoView(); return image.complete && image.naturalWidth > 0; })()";
    browser.wait_until(shown).await?;
    ensure!(
        browser
            .script::<i64>("document.querySelectorAll('.marks rect').length")
            .await?
            > 0,
        "nothing is marked"
    );
    browser.screenshot("pictures").await?;
    // Nothing was changed yet.
    site.front_page_with("<!-- gallery 1.0.0 -->").await?;
    let address = browser.url().await?;
    browser
        .goto(&format!("{}/fleet", fixture.server.url()))
        .await?;
    browser.wait_for_text("1 update waits for a yes").await?;
    browser.screenshot("fleet-asks").await?;
    browser.click(".pill-ask").await?;
    browser.wait_for("form[action$='/approve']").await?;
    ensure!(browser.url().await? == address, "it leads elsewhere");

    browser.fill("#approve-note", "looks fine").await?;
    browser.click("form[action$='/approve'] button").await?;
    until(
        &browser,
        "!!document.querySelector('#pipeline .job-top .badge-good')",
    )
    .await?;
    browser.wait_for_text("looks fine").await?;
    browser
        .wait_for_text("At the site, after all updates")
        .await?;
    ensure!(
        !browser
            .script::<bool>("!!document.querySelector('#pipeline form')")
            .await?
    );
    browser.screenshot("completed").await?;
    site.front_page_with("<!-- gallery 1.1.0 -->").await?;
    quiet(&browser)?;

    // On a phone it fits, and the list has it.
    browser.resize(360, 740).await?;
    for path in [
        address.as_str(),
        &format!("{}/pipelines", fixture.server.url()),
    ] {
        browser.goto(path).await?;
        browser.wait_for_text("Completed").await?;
        let width = browser
            .script::<i64>("document.documentElement.scrollWidth")
            .await?;
        ensure!(width <= 360, "{path} is {width} wide on a phone");
        for scheme in ["light", "dark"] {
            browser.prefer_color_scheme(scheme).await?;
            legible(&browser, path, scheme).await?;
        }
    }
    browser.screenshot("list-narrow").await?;
    quiet(&browser)?;
    browser.close().await
}
