//! One page, shown once to somebody who was never there.

use super::{Error, Picture, answer::Answerer};
use crate::{
    address::Home,
    channel::Channel,
    html::short,
    impression::{Anchor, Area, Chosen, Screen, Shot},
};
use chromiumoxide::{
    Browser, Page,
    cdp::{
        browser_protocol::{
            browser::BrowserContextId,
            emulation::{MediaFeature, SetDeviceMetricsOverrideParams, SetTimezoneOverrideParams},
            fetch::EventRequestPaused,
            network::SetBypassServiceWorkerParams,
            page::{CaptureScreenshotFormat, Viewport},
            target::{CreateBrowserContextParams, CreateTargetParams},
        },
        js_protocol::runtime::{
            ConsoleApiCalledType, EvaluateParams, EventConsoleApiCalled, EventExceptionThrown,
        },
    },
    page::ScreenshotParams,
};
use futures_util::StreamExt;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
};

const PREPARE: &str = include_str!("prepare.js");
const SETTLE: &str = include_str!("settle.js");
const COLLECT: &str = include_str!("collect.js");
/// A page that is higher is cut: what is below nobody sees at once.
const HIGHEST: u32 = 4000;
/// Requests of a page at once.
const AT_ONCE: usize = 4;
/// What a page says is kept up to here.
const MESSAGES: usize = 20;
const CONTROLS: usize = 150;
const ANCHORS: usize = 150;
const OVERLAYS: usize = 10;
/// How often and how long one waits for what lies over the page to go by itself, as loaders do.
const OPENS: usize = 3;
const OPENING: Duration = Duration::from_secs(1);
/// Beyond the requests: to come to rest, to be read and drawn.
const REST: Duration = Duration::from_secs(25);

/// What is to be shown.
pub(super) struct View<'a> {
    pub(super) page: &'a Chosen,
    pub(super) screen: Screen,
    pub(super) name: String,
    pub(super) timeout: Duration,
}

/// What the page's script brought together.
#[derive(Deserialize)]
struct Collected {
    controls: BTreeMap<String, bool>,
    anchors: Vec<Anchor>,
    overlays: Vec<Area>,
    shut: bool,
    height: f64,
}

/// What was said and not answered meanwhile.
#[derive(Default)]
struct Heard {
    exceptions: BTreeSet<String>,
    complaints: BTreeSet<String>,
}

pub(super) async fn show(
    chromium: &Browser,
    channel: &Arc<dyn Channel>,
    home: &Home,
    view: &View<'_>,
) -> Result<(Shot, Picture), Error> {
    let context = chromium
        .create_browser_context(CreateBrowserContextParams::default())
        .await?;
    let limit = view.timeout + REST;
    let showing = in_context(chromium, &context, channel, home, view);
    let shown = tokio::time::timeout(limit, showing).await;
    // With its cookies and pages; one that hangs goes with it.
    let gone = chromium.dispose_browser_context(context);
    let _left = tokio::time::timeout(REST, gone).await;
    shown.map_err(|_| Error::Late(limit.as_secs()))?
}

async fn in_context(
    chromium: &Browser,
    context: &BrowserContextId,
    channel: &Arc<dyn Channel>,
    home: &Home,
    view: &View<'_>,
) -> Result<(Shot, Picture), Error> {
    let target = CreateTargetParams::builder()
        .url("about:blank")
        .browser_context_id(context.clone())
        .build()
        .map_err(Error::Browser)?;
    let page = chromium.new_page(target).await?;
    let failed = Arc::default();
    let heard = Arc::new(Mutex::new(Heard::default()));
    let _listening = listen(&page, &heard).await?;
    let answerer = Answerer {
        page: page.clone(),
        channel: channel.clone(),
        home: home.clone(),
        timeout: view.timeout,
        failed: Arc::clone(&failed),
    };
    let _answering = answers(&page, answerer).await?;
    prepare(&page, view.screen).await?;
    let addresses = view.page.first.iter().chain([&view.page.address]);
    for address in addresses {
        let url = home
            .join(address)
            .ok_or_else(|| Error::Browser(format!("`{address}` is no address")))?;
        page.goto(url.as_str()).await?;
    }
    settle(&page).await?;
    let mut collected = collect(&page).await?;
    for _ in 0..OPENS {
        if !collected.shut {
            break;
        }
        tokio::time::sleep(OPENING).await;
        collected = collect(&page).await?;
    }
    let png = picture(&page, view.screen, collected.height).await?;
    let (width, height) = size(&png);
    let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    let shot = Shot {
        name: view.name.clone(),
        page: view.page.address.clone(),
        screen: view.screen,
        width,
        height,
        sha256: hex::encode(Sha256::digest(&png)),
        exceptions: heard.exceptions.clone(),
        complaints: heard.complaints.clone(),
        failed: failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone(),
        controls: collected
            .controls
            .into_iter()
            .take(CONTROLS)
            .map(|(key, is_visible)| (short(&key, 160), is_visible))
            .collect(),
        anchors: collected
            .anchors
            .into_iter()
            .take(ANCHORS)
            .map(|anchor| Anchor {
                key: hex::encode(&Sha256::digest(anchor.key.as_bytes())[..8]),
                area: rounded(anchor.area),
            })
            .collect(),
        overlays: collected
            .overlays
            .into_iter()
            .take(OVERLAYS)
            .map(rounded)
            .collect(),
        is_shut: collected.shut,
    };
    let picture = Picture {
        name: view.name.clone(),
        png,
    };
    Ok((shot, picture))
}

fn rounded(area: Area) -> Area {
    Area {
        x: area.x.round(),
        y: area.y.round(),
        width: area.width.round(),
        height: area.height.round(),
    }
}

async fn prepare(page: &Page, screen: Screen) -> Result<(), Error> {
    let (width, height) = screen.size();
    let is_phone = screen == Screen::Phone;
    page.execute(SetDeviceMetricsOverrideParams::new(
        i64::from(width),
        i64::from(height),
        1.0,
        is_phone,
    ))
    .await?;
    let calm = MediaFeature::builder()
        .name("prefers-reduced-motion")
        .value("reduce")
        .build()
        .map_err(Error::Browser)?;
    page.emulate_media_features(vec![calm]).await?;
    page.execute(SetTimezoneOverrideParams::new("UTC")).await?;
    page.execute(SetBypassServiceWorkerParams::new(true))
        .await?;
    page.evaluate_on_new_document(PREPARE).await?;
    Ok(())
}

/// A task that ends with whoever holds this.
struct Listening(Vec<JoinHandle<()>>);

impl Drop for Listening {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

async fn answers(page: &Page, answerer: Answerer) -> Result<Listening, Error> {
    let mut paused = page.event_listener::<EventRequestPaused>().await?;
    Ok(Listening(vec![tokio::spawn(async move {
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let mut answering = JoinSet::new();
        while let Some(event) = paused.next().await {
            let (answerer, room) = (answerer.clone(), Arc::clone(&room));
            answering.spawn(async move {
                if let Ok(_place) = room.acquire_owned().await {
                    answerer.answer(&event).await;
                }
            });
            while answering.try_join_next().is_some() {}
        }
    })]))
}

async fn listen(page: &Page, heard: &Arc<Mutex<Heard>>) -> Result<Listening, Error> {
    let mut thrown = page.event_listener::<EventExceptionThrown>().await?;
    let mut console = page.event_listener::<EventConsoleApiCalled>().await?;
    let (first, second) = (Arc::clone(heard), Arc::clone(heard));
    Ok(Listening(vec![
        tokio::spawn(async move {
            while let Some(event) = thrown.next().await {
                let details = &event.exception_details;
                let said = details
                    .exception
                    .as_ref()
                    .and_then(|exception| exception.description.clone())
                    .unwrap_or_else(|| details.text.clone());
                let mut heard = first.lock().unwrap_or_else(PoisonError::into_inner);
                if heard.exceptions.len() < MESSAGES {
                    heard.exceptions.insert(plain(&said));
                }
            }
        }),
        tokio::spawn(async move {
            while let Some(event) = console.next().await {
                if event.r#type != ConsoleApiCalledType::Error {
                    continue;
                }
                let said: Vec<String> = event
                    .args
                    .iter()
                    .filter_map(|arg| match (&arg.value, &arg.description) {
                        (Some(value), _) => Some(
                            value
                                .as_str()
                                .map_or_else(|| value.to_string(), ToOwned::to_owned),
                        ),
                        (None, description) => description.clone(),
                    })
                    .collect();
                let mut heard = second.lock().unwrap_or_else(PoisonError::into_inner);
                if heard.complaints.len() < MESSAGES {
                    heard.complaints.insert(plain(&said.join(" ")));
                }
            }
        }),
    ]))
}

/// The first line, without what differs each time.
fn plain(said: &str) -> String {
    let line = said.lines().next().unwrap_or_default();
    let mut plain = String::new();
    for sign in short(line, 200).chars() {
        if !sign.is_ascii_digit() {
            plain.push(sign);
        } else if !plain.ends_with('#') {
            plain.push('#');
        }
    }
    plain
}

async fn collect(page: &Page) -> Result<Collected, Error> {
    let collected: String = value(page, COLLECT, false).await?;
    serde_json::from_str(&collected).map_err(|error| Error::Browser(error.to_string()))
}

async fn settle(page: &Page) -> Result<(), Error> {
    let _is_whole: bool = value(page, SETTLE, true).await?;
    Ok(())
}

async fn value<T: serde::de::DeserializeOwned>(
    page: &Page,
    script: &str,
    waits: bool,
) -> Result<T, Error> {
    let wanted = EvaluateParams::builder()
        .expression(script)
        .return_by_value(true)
        .await_promise(waits)
        .build()
        .map_err(Error::Browser)?;
    let result = page.evaluate_expression(wanted).await?;
    result
        .into_value()
        .map_err(|error| Error::Browser(error.to_string()))
}

async fn picture(page: &Page, screen: Screen, height: f64) -> Result<Vec<u8>, Error> {
    let (width, window) = screen.size();
    let height = height.clamp(f64::from(window), f64::from(HIGHEST));
    let clip = Viewport::builder()
        .x(0.0)
        .y(0.0)
        .width(f64::from(width))
        .height(height)
        .scale(1.0)
        .build()
        .map_err(Error::Browser)?;
    let wanted = ScreenshotParams::builder()
        .format(CaptureScreenshotFormat::Png)
        .clip(clip)
        .capture_beyond_viewport(true)
        .build();
    Ok(page.screenshot(wanted).await?)
}

/// Width and height as the file says.
fn size(png: &[u8]) -> (u32, u32) {
    let number = |at: usize| {
        png.get(at..at + 4)
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u32::from_be_bytes)
    };
    (number(16), number(20))
}
