//! How people come in: the first of all, those who are invited, and those who forgot their
//! password.

use crate::{legible, quiet};
use anyhow::{Context, Result, ensure};
use pressroom_testkit::{Options, Pressroom, browser::Browser};
use pressroom_tests::fixture::{ACCOUNT, EMAIL, PASSWORD, add_owner};
use std::fs;

const CHOSEN: &str = "another long password";

/// Somebody with an account, and no site.
async fn settled() -> Result<Pressroom> {
    let mut server = Pressroom::prepare(Options::default())?;
    add_owner(&server, EMAIL, ACCOUNT).await?;
    server.launch().await?;
    Ok(server)
}

/// The page fits a phone in both schemes, and is back as it was.
async fn fits(browser: &Browser, name: &str) -> Result<()> {
    browser.resize(360, 740).await?;
    for scheme in ["dark", "light"] {
        browser.prefer_color_scheme(scheme).await?;
        let width = browser
            .script::<i64>("document.documentElement.scrollWidth")
            .await?;
        ensure!(width <= 360, "{name} is {width} wide on a phone");
        legible(browser, name, scheme).await?;
        browser.screenshot(&format!("{name}-{scheme}")).await?;
    }
    browser.resize(1280, 800).await
}

/// What a refused form leaves in the browser's own log is no fault of the page.
fn noted(browser: &Browser, status: &str) -> Result<()> {
    let noted = browser.console_errors();
    ensure!(
        noted.iter().all(|line| line.contains(status)),
        "the browser complained: {noted:#?}"
    );
    Ok(())
}

#[tokio::test]
async fn the_first_person_sets_up_with_the_keyboard_alone() -> Result<()> {
    let server = Pressroom::start(Options::default()).await?;
    let link = fs::read_to_string(server.data().join("set-up-link")).context("a link")?;
    let browser = Browser::start("set-up").await?;
    browser.goto(link.trim()).await?;
    browser.wait_for_text("Set up Pressroom").await?;
    fits(&browser, "set-up").await?;
    for (field, text) in [
        ("name", "Ann Lee"),
        ("email", "ann@press.example"),
        ("account", "Lee Studio"),
        ("password", CHOSEN),
        ("again", CHOSEN),
    ] {
        browser.tab_to(&format!("input[name={field}]")).await?;
        browser.type_text(text).await?;
    }
    browser.press("Enter").await?;
    browser.wait_until("location.pathname === '/fleet'").await?;
    browser.wait_for_text("Ann Lee").await?;
    // Whoever runs it is told what is missing.
    browser.wait_for("#banner").await?;
    browser.wait_for_text("mail.smtp").await?;
    fits(&browser, "banner").await?;
    quiet(&browser)?;
    browser.goto(link.trim()).await?;
    browser.wait_for_text("There is nothing here").await?;
    noted(&browser, "404")?;
    browser.close().await
}

#[tokio::test]
async fn somebody_is_invited_on_a_page_and_comes() -> Result<()> {
    let server = settled().await?;
    let browser = Browser::start("invitation").await?;
    browser.goto(&format!("{}/", server.url())).await?;
    sign_in_here(&browser, EMAIL, PASSWORD).await?;
    browser.click("nav a[href='/people']").await?;
    browser
        .wait_for_text(&format!("People of {ACCOUNT}"))
        .await?;
    browser.wait_for_text("Nobody is invited just now").await?;
    browser.fill("#invite input[name=email]", EMAIL).await?;
    browser.click("#invite button").await?;
    browser.wait_for("#problem").await?;
    noted(&browser, "409")?;
    browser
        .fill("#invite input[name=email]", "new@press.example")
        .await?;
    browser.click("#invite button").await?;
    browser.wait_for("#link").await?;
    fits(&browser, "people").await?;
    let link = browser
        .script::<String>("document.querySelector('#link').textContent")
        .await?;
    browser.click("form[action='/sign-out'] button").await?;
    browser.wait_for("input[name=password]").await?;
    quiet(&browser)?;

    browser.goto(&link).await?;
    browser.wait_for_text(&format!("Come to {ACCOUNT}")).await?;
    fits(&browser, "invitation-new").await?;
    browser.tab_to("input[name=name]").await?;
    browser.type_text("Newt").await?;
    browser.press("Tab").await?;
    browser.type_text(CHOSEN).await?;
    browser.press("Tab").await?;
    browser.type_text(CHOSEN).await?;
    browser.press("Enter").await?;
    browser.wait_until("location.pathname === '/fleet'").await?;
    browser.wait_for_text("Newt").await?;
    // A viewer sees who else is there, and invites nobody.
    browser.click("nav a[href='/people']").await?;
    browser.wait_for_text(EMAIL).await?;
    ensure!(
        browser
            .script::<bool>("!document.querySelector('#invite')")
            .await?
    );
    quiet(&browser)?;
    browser.goto(&link).await?;
    browser.wait_for_text("This link is not good").await?;
    noted(&browser, "404")?;

    // Who is known here already gives their password.
    let other = ["account", "add", "Other Press", "--owner", EMAIL];
    server.cli(&other, "").await?.line()?;
    let invite = [
        "user",
        "invite",
        "new@press.example",
        "--account",
        "Other Press",
        "--role",
        "member",
    ];
    let link = server.cli(&invite, "").await?.line()?;
    browser.goto(&format!("{}/fleet", server.url())).await?;
    browser.click("form[action='/sign-out'] button").await?;
    browser.wait_for("input[name=password]").await?;
    browser.goto(&link).await?;
    browser.wait_for_text("prove that it is you").await?;
    browser.fill("input[name=password]", CHOSEN).await?;
    browser.click("main button[type=submit]").await?;
    browser.wait_until("location.pathname === '/fleet'").await?;
    quiet(&browser)?;
    browser.close().await
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_and_the_code_stays() -> Result<()> {
    let server = settled().await?;
    let factor = ["user", "two-factor", "enable", EMAIL];
    let uri = server.cli_json(&factor).await?["uri"].clone();
    let app = totp_rs::Totp::from_url(uri.as_str().context("an address")?)?;
    let code = app.generate(now()?).to_string();
    let confirm = ["user", "two-factor", "confirm", EMAIL, &code];
    let codes = server.cli(&confirm, "").await?.line()?;
    let backup = codes.lines().last().context("a backup code")?.to_owned();

    let browser = Browser::start("password").await?;
    browser.goto(&format!("{}/sign-in", server.url())).await?;
    browser.click("a[href='/forgot']").await?;
    browser.wait_for_text("pressroom user reset").await?;
    fits(&browser, "forgot").await?;
    let link = server.cli(&["user", "reset", EMAIL], "").await?.line()?;
    browser.goto(&link).await?;
    browser.wait_for_text("Choose another password").await?;
    browser.wait_for_text("still asked for").await?;
    fits(&browser, "reset").await?;
    browser.fill("input[name=password]", CHOSEN).await?;
    browser.fill("input[name=again]", "not the same").await?;
    browser.click("main button[type=submit]").await?;
    browser
        .wait_for_text("The passwords are not the same")
        .await?;
    noted(&browser, "422")?;
    browser.tab_to("input[name=password]").await?;
    browser.type_text(CHOSEN).await?;
    browser.press("Tab").await?;
    browser.type_text(CHOSEN).await?;
    browser.press("Enter").await?;
    browser.wait_for_text("Your password is changed").await?;
    quiet(&browser)?;

    // The right password alone is not enough; the field for the code appears.
    browser.fill("input[name=email]", EMAIL).await?;
    browser.fill("input[name=password]", CHOSEN).await?;
    browser.click("main button[type=submit]").await?;
    browser.wait_for("input[name=code]").await?;
    fits(&browser, "code").await?;
    noted(&browser, "401")?;
    browser.fill("input[name=password]", CHOSEN).await?;
    browser.fill("input[name=code]", "000000").await?;
    browser.click("main button[type=submit]").await?;
    browser.wait_for_text("The code is not right").await?;
    noted(&browser, "401")?;
    browser.fill("input[name=password]", CHOSEN).await?;
    browser.fill("input[name=code]", &backup).await?;
    browser.press("Enter").await?;
    browser.wait_until("location.pathname === '/fleet'").await?;
    quiet(&browser)?;
    browser.close().await
}

async fn sign_in_here(browser: &Browser, email: &str, password: &str) -> Result<()> {
    browser.fill("input[name=email]", email).await?;
    browser.fill("input[name=password]", password).await?;
    browser.click("main button[type=submit]").await?;
    browser.wait_until("location.pathname === '/fleet'").await
}

fn now() -> Result<u64> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(since.as_secs())
}
