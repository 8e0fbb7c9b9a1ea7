//! Chromium, started for one series of pictures and ended after it.

use super::{Error, Taken, Wanted, show};
use crate::{address::Home, channel::Channel, impression::Screen};
use chromiumoxide::browser::{Browser, BrowserConfig};
use futures_util::StreamExt;
use std::{
    env, fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// What it is called, the first that is found.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];
const START: Duration = Duration::from_secs(40);
const END: Duration = Duration::from_secs(10);
/// Who shows strangers' pages where we are root ourselves: the user that owns nothing.
const NOBODY: u32 = 65534;
/// Root gives itself up before the browser begins. The text is fixed; what is run is named
/// by a variable.
const AS_NOBODY: &str = "#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups \
                         --no-new-privs -- \"$BROWSER_TO_RUN\" \"$@\"\n";

/// Ways to start it, the most careful first. Where the kernel or a container denies the
/// browser its sandbox, it starts without.
#[derive(Debug, Clone, Copy)]
struct Way {
    as_nobody: bool,
    in_sandbox: bool,
}

/// A Chromium on this machine.
#[derive(Debug, Clone)]
pub struct Camera {
    executable: PathBuf,
    /// How many of the ways do not work here.
    skipped: Arc<AtomicUsize>,
}

impl Camera {
    /// The one that is installed here; `None` when there is none.
    pub fn find() -> Option<Self> {
        let path = env::var_os("PATH")?;
        NAMES.iter().find_map(|name| {
            env::split_paths(&path)
                .map(|directory| directory.join(name))
                .find(|file| is_program(file))
                .map(Self::at)
        })
    }

    /// The one at this place.
    pub fn at(executable: impl Into<PathBuf>) -> Self {
        Self {
            executable: executable.into(),
            skipped: Arc::default(),
        }
    }

    /// Shows each page as often as it needs, each time as somebody who was never there. A page
    /// that cannot be shown is told; that the browser cannot is an error.
    pub(crate) async fn take(
        &self,
        channel: Arc<dyn Channel>,
        home: &Home,
        wanted: Wanted,
    ) -> Result<Taken, Error> {
        let mut running = self.start().await?;
        let mut taken = Taken::default();
        for (at, page) in wanted.pages.iter().enumerate() {
            let screens: &[Screen] = if at == 0 {
                &[Screen::Desktop, Screen::Phone]
            } else {
                &[Screen::Desktop]
            };
            for screen in screens {
                for shot in 1..=wanted.most() {
                    let name = format!("{}-{}-{shot}", at + 1, screen.as_str());
                    let view = show::View {
                        page,
                        screen: *screen,
                        name,
                        timeout: wanted.timeout,
                    };
                    let shown = show::show(&running.chromium, &channel, home, &view).await;
                    match shown {
                        Ok((shot, picture)) => {
                            let is_enough = wanted.is_enough(&shot, &taken.shots);
                            taken.shots.push(shot);
                            taken.pictures.push(picture);
                            if is_enough {
                                break;
                            }
                        }
                        Err(error) => {
                            let why = error.to_string();
                            tracing::debug!(page = %page.address, %error, "a page is not shown");
                            taken.failed.insert(page.address.clone(), why);
                            break;
                        }
                    }
                    if running.has_ended() {
                        running = self.start().await?;
                    }
                }
            }
        }
        running.end().await;
        Ok(taken)
    }

    async fn start(&self) -> Result<Running, Error> {
        let ways: &[Way] = if rustix::process::geteuid().is_root() {
            &[
                Way {
                    as_nobody: true,
                    in_sandbox: true,
                },
                Way {
                    as_nobody: true,
                    in_sandbox: false,
                },
                Way {
                    as_nobody: false,
                    in_sandbox: false,
                },
            ]
        } else {
            &[
                Way {
                    as_nobody: false,
                    in_sandbox: true,
                },
                Way {
                    as_nobody: false,
                    in_sandbox: false,
                },
            ]
        };
        let skipped = self.skipped.load(Ordering::Relaxed);
        let mut last = Error::Start("it was not tried".to_owned());
        for (at, way) in ways.iter().enumerate().skip(skipped) {
            match self.start_so(*way).await {
                Ok(running) => {
                    self.skipped.store(at, Ordering::Relaxed);
                    return Ok(running);
                }
                Err(error) => {
                    tracing::debug!(?way, %error, "Chromium does not start this way");
                    last = error;
                }
            }
        }
        Err(last)
    }

    async fn start_so(&self, way: Way) -> Result<Running, Error> {
        let place = tempfile::Builder::new().prefix("look-").tempdir()?;
        let profile = place.path().join("profile");
        fs::create_dir(&profile)?;
        let mut executable = self.executable.clone();
        if way.as_nobody {
            let wrapper = place.path().join("as-nobody");
            fs::write(&wrapper, AS_NOBODY)?;
            fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?;
            fs::set_permissions(place.path(), fs::Permissions::from_mode(0o711))?;
            chown(&profile, Some(NOBODY), Some(NOBODY))?;
            executable = wrapper;
        }
        let mut config = BrowserConfig::builder()
            .chrome_executable(executable)
            .user_data_dir(&profile)
            .env("BROWSER_TO_RUN", self.executable.display().to_string())
            .env("HOME", profile.display().to_string())
            .env("XDG_CONFIG_HOME", profile.display().to_string())
            .env("XDG_CACHE_HOME", profile.display().to_string())
            .env("TZ", "UTC")
            .window_size(1280, 900)
            .viewport(None)
            .disable_https_first()
            .enable_request_intercept()
            .disable_cache()
            .launch_timeout(START)
            .request_timeout(Duration::from_mins(1))
            .args([
                "disable-gpu",
                "disable-quic",
                "disable-component-update",
                "disable-background-networking",
                "disable-sync",
                "disable-domain-reliability",
                "disable-client-side-phishing-detection",
                "no-first-run",
                "no-pings",
                "mute-audio",
                "font-render-hinting=none",
                "disable-lcd-text",
                "lang=en-US",
                "renderer-process-limit=2",
                "js-flags=--max-old-space-size=512",
                // What is not answered by us is not answered: whatever would get past the
                // interception finds no name, no way and no other protocol.
                "host-resolver-rules=MAP * ~NOTFOUND",
                "proxy-server=127.0.0.1:9",
                "proxy-bypass-list=<-loopback>",
                "force-webrtc-ip-handling-policy=disable_non_proxied_udp",
            ]);
        if !way.in_sandbox {
            config = config.no_sandbox();
        }
        let config = config.build().map_err(Error::Start)?;
        let (chromium, mut handler) = Browser::launch(config).await.map_err(|error| {
            let said = error.to_string();
            Error::Start(crate::html::short(&said, 300))
        })?;
        let listening = tokio::spawn(async move {
            // A message of a newer protocol than ours is no reason to stop listening.
            while handler.next().await.is_some() {}
        });
        Ok(Running {
            chromium,
            listening,
            _place: place,
        })
    }
}

/// A browser at work. Dropped, it is killed.
struct Running {
    chromium: Browser,
    listening: JoinHandle<()>,
    // Last, so that the profile goes after the browser.
    _place: TempDir,
}

impl Running {
    fn has_ended(&mut self) -> bool {
        self.listening.is_finished() || !matches!(self.chromium.try_wait(), Ok(None))
    }

    async fn end(&mut self) {
        let _asked = tokio::time::timeout(END, self.chromium.close()).await;
        let waited = tokio::time::timeout(END, self.chromium.wait()).await;
        if waited.is_err() {
            let _gone = self.chromium.kill().await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn is_program(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
