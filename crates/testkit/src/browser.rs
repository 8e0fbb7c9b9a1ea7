//! Real Chromium, driven like a person would: look, wait, type, press, click.

use crate::{Scratch, eventually, place};
use anyhow::{Context, Result, anyhow, ensure};
use chromiumoxide::browser::{Browser as Chromium, BrowserConfig};
use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams,
};
use chromiumoxide::cdp::browser_protocol::log::EventEntryAdded;
use chromiumoxide::cdp::js_protocol::runtime::{
    ConsoleApiCalledType, EventConsoleApiCalled, EventExceptionThrown,
};
use chromiumoxide::page::{Page, ScreenshotParams};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long a page may take to show what is expected of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether what a selector matches first is where it was two pictures of the screen ago.
const STILL: &str = "(async () => {
    const place = () => {
        const { x, y, width, height } =
            document.querySelector(SELECTOR)?.getBoundingClientRect() ?? {};
        return [x, y, width, height].join();
    };
    const before = place();
    for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
    return document.readyState === 'complete' && place() === before;
})()";

/// A browser with one page and an empty profile.
#[derive(Debug)]
pub struct Browser {
    chromium: Chromium,
    page: Page,
    errors: Arc<Mutex<Vec<String>>>,
    tasks: Vec<JoinHandle<()>>,
    name: String,
    // Last, so that the profile goes after the browser.
    _profile: Scratch,
}

impl Browser {
    /// Starts one. `name` is the test's, for the file name of its screenshots.
    pub async fn start(name: &str) -> Result<Self> {
        let executable = ["/usr/bin/chromium", "/usr/bin/chromium-browser"]
            .map(Path::new)
            .into_iter()
            .find(|path| path.exists())
            .context("Chromium is not installed (package `chromium`)")?;
        let profile = Scratch::new()?;
        let config = BrowserConfig::builder()
            .chrome_executable(executable)
            .user_data_dir(profile.path().join("profile"))
            .no_sandbox()
            .window_size(1280, 900)
            .viewport(None)
            .disable_https_first()
            .launch_timeout(Duration::from_mins(1))
            // Without these it talks to its vendor's hosts in the background.
            .arg("disable-gpu")
            .arg("disable-quic")
            .arg("disable-component-update")
            .arg("disable-background-networking")
            .arg("disable-sync")
            .arg("no-first-run")
            // The domains of a test are known to no resolver.
            .arg(("host-resolver-rules", "MAP * 127.0.0.1"))
            .build()
            .map_err(|error| anyhow!("{error}"))?;
        let (chromium, mut handler) = Chromium::launch(config)
            .await
            .context("Chromium does not start")?;
        let mut tasks = vec![tokio::spawn(async move {
            // A message of a newer protocol than ours is no reason to stop listening.
            while handler.next().await.is_some() {}
        })];
        let page = chromium.new_page("about:blank").await?;
        let errors = Arc::new(Mutex::new(Vec::new()));
        tasks.extend(listen(&page, &errors).await?);
        Ok(Self {
            chromium,
            page,
            errors,
            tasks,
            name: name.to_owned(),
            _profile: profile,
        })
    }

    /// Opens an address and waits until it is loaded.
    pub async fn goto(&self, url: &str) -> Result<()> {
        self.page
            .goto(url)
            .await
            .with_context(|| format!("cannot open {url}"))?;
        Ok(())
    }

    /// Where it is now.
    pub async fn url(&self) -> Result<String> {
        self.script("location.href").await
    }

    /// Evaluates a JavaScript expression in the page.
    pub async fn script<T: DeserializeOwned>(&self, expression: &str) -> Result<T> {
        let result = self.page.evaluate_expression(expression).await?;
        result
            .into_value()
            .with_context(|| format!("`{expression}` has no such value"))
    }

    /// The text a person can read.
    pub async fn text(&self) -> Result<String> {
        self.script("document.body ? document.body.innerText : ''")
            .await
    }

    /// Waits until a person can read `text`.
    pub async fn wait_for_text(&self, text: &str) -> Result<()> {
        self.kept_on_failure(
            eventually(format!("the text `{text}`"), PATIENCE, || async {
                let shown = self.text().await?;
                ensure!(shown.contains(text), "it reads: {shown}");
                Ok(())
            })
            .await,
        )
        .await
    }

    /// Waits until the selector matches something visible.
    pub async fn wait_for(&self, selector: &str) -> Result<()> {
        let look = format!(
            "[...document.querySelectorAll({})].some(e => e.getClientRects().length > 0)",
            quoted(selector)
        );
        self.kept_on_failure(
            eventually(format!("`{selector}`"), PATIENCE, || async {
                ensure!(
                    self.script::<bool>(&look).await?,
                    "not at {}: {}",
                    self.url().await?,
                    self.text().await?
                );
                Ok(())
            })
            .await,
        )
        .await
    }

    /// Waits until the expression is true in the page.
    pub async fn wait_until(&self, expression: &str) -> Result<()> {
        self.kept_on_failure(
            eventually(format!("`{expression}`"), PATIENCE, || async {
                ensure!(
                    self.script::<bool>(expression).await?,
                    "not at {}",
                    self.url().await?
                );
                Ok(())
            })
            .await,
        )
        .await
    }

    /// Types into a field, replacing what is in it.
    pub async fn fill(&self, selector: &str, text: &str) -> Result<()> {
        self.wait_for(selector).await?;
        let element = self.page.find_element(selector).await?;
        element.focus().await?;
        self.script::<bool>("(document.activeElement.select?.(), true)")
            .await?;
        element.type_str(text).await?;
        Ok(())
    }

    /// Clicks what the selector matches first, once it stands still: what is still moved by
    /// what loads above it would not be where it was seen.
    pub async fn click(&self, selector: &str) -> Result<()> {
        self.wait_for(selector).await?;
        let still = STILL.replace("SELECTOR", &quoted(selector));
        self.wait_until(&still).await?;
        self.page.find_element(selector).await?.click().await?;
        Ok(())
    }

    /// Presses a key (`Tab`, `Enter`, `ArrowDown`, `a`…) wherever the focus is.
    pub async fn press(&self, key: &str) -> Result<()> {
        self.page.find_element("body").await?.press_key(key).await?;
        Ok(())
    }

    /// Types text wherever the focus is.
    pub async fn type_text(&self, text: &str) -> Result<()> {
        self.page.find_element("body").await?.type_str(text).await?;
        Ok(())
    }

    /// Presses `Tab` until the focused element matches the selector.
    pub async fn tab_to(&self, selector: &str) -> Result<()> {
        let here = format!("document.activeElement.matches({})", quoted(selector));
        for _ in 0..60 {
            if self.script::<bool>(&here).await? {
                return Ok(());
            }
            self.press("Tab").await?;
        }
        self.kept_on_failure(Err(anyhow!("no `Tab` reaches `{selector}`")))
            .await
    }

    /// Makes the window this wide and high, in CSS pixels.
    pub async fn resize(&self, width: i64, height: i64) -> Result<()> {
        self.page
            .execute(SetDeviceMetricsOverrideParams::new(
                width,
                height,
                1.0,
                width < 600,
            ))
            .await?;
        Ok(())
    }

    /// Says which colour scheme the person prefers: `light` or `dark`.
    pub async fn prefer_color_scheme(&self, scheme: &str) -> Result<()> {
        let feature = MediaFeature::builder()
            .name("prefers-color-scheme")
            .value(scheme)
            .build()
            .map_err(|error| anyhow!("{error}"))?;
        self.page.emulate_media_features(vec![feature]).await?;
        Ok(())
    }

    /// What the console has complained about since the last call.
    pub fn console_errors(&self) -> Vec<String> {
        std::mem::take(&mut *self.errors.lock().expect("nobody panics holding it"))
    }

    /// Keeps a picture of the page among the build results; answers where.
    pub async fn screenshot(&self, what: &str) -> Result<PathBuf> {
        let directory = place::kept_dir().join("screenshots");
        fs::create_dir_all(&directory)?;
        let path = directory.join(format!("{}-{what}.png", self.name));
        let picture = self
            .page
            // Not the full page: that would undo the size chosen with `resize`.
            .screenshot(ScreenshotParams::builder().build())
            .await?;
        fs::write(&path, picture)?;
        Ok(path)
    }

    /// Ends it.
    pub async fn close(mut self) -> Result<()> {
        let _ = self.chromium.close().await;
        let _ = tokio::time::timeout(Duration::from_secs(10), self.chromium.wait()).await;
        Ok(())
    }

    async fn kept_on_failure<T>(&self, result: Result<T>) -> Result<T> {
        match result {
            Ok(value) => Ok(value),
            Err(error) => Err(match self.screenshot("failed").await {
                Ok(path) => error.context(format!("a picture is in {}", path.display())),
                Err(_) => error,
            }),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn listen(page: &Page, errors: &Arc<Mutex<Vec<String>>>) -> Result<Vec<JoinHandle<()>>> {
    page.enable_log().await?;
    let mut console = page.event_listener::<EventConsoleApiCalled>().await?;
    let mut thrown = page.event_listener::<EventExceptionThrown>().await?;
    let mut entries = page.event_listener::<EventEntryAdded>().await?;
    let keep = |errors: &Arc<Mutex<Vec<String>>>, text: String| {
        errors.lock().expect("nobody panics holding it").push(text);
    };
    let (first, second, third) = (errors.clone(), errors.clone(), errors.clone());
    Ok(vec![
        tokio::spawn(async move {
            while let Some(event) = console.next().await {
                if event.r#type == ConsoleApiCalledType::Error {
                    keep(&first, format!("console.error: {:?}", event.args));
                }
            }
        }),
        tokio::spawn(async move {
            while let Some(event) = thrown.next().await {
                keep(&second, format!("exception: {:?}", event.exception_details));
            }
        }),
        tokio::spawn(async move {
            while let Some(event) = entries.next().await {
                let entry = &event.entry;
                if format!("{:?}", entry.level) == "Error" {
                    keep(
                        &third,
                        format!("{} ({})", entry.text, entry.url.as_deref().unwrap_or("")),
                    );
                }
            }
        }),
    ])
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn types_and_sees_what_a_page_does() {
        let browser = Browser::start("testkit").await.expect("Chromium starts");
        let page = "data:text/html,<input id=a autofocus>\
             <button onclick=\"document.querySelector('p').textContent='hello '%2ba.value;\
             console.error('one')\">go</button><p>";
        browser.goto(page).await.expect("it opens");
        browser.fill("#a", "world").await.expect("it types");
        browser.tab_to("button").await.expect("it is reachable");
        browser.press("Enter").await.expect("it is pressed");
        browser
            .wait_for_text("hello world")
            .await
            .expect("the page reacts");
        assert_eq!(browser.console_errors().len(), 1);
        browser.close().await.expect("it ends");
    }
}
