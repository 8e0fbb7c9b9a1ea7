//! A safe update from its beginning to its end, its parts, and what a visitor meets meanwhile.

use crate::{
    machine::{self, Server},
    rival::WpCli,
    table::{Row, Table, shown},
    timing,
};
use anyhow::{Context, Result, ensure};
use pressroom_base::Timestamp;
use pressroom_lab::Wordpress;
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;
use zip::{ZipWriter, write::SimpleFileOptions};

const DOMAIN: &str = "bench.localhost";
const SLUG: &str = "bench";
/// As many as the row of an update's apply step alone has.
const FILES: usize = 132;
const ROUNDS: usize = 3;
/// How a command ends after which somebody is asked.
const ASKS: i32 = 7;
/// Between two visits.
const PAUSE: Duration = Duration::from_millis(20);

pub fn measure(table: &mut Table) -> Result<()> {
    let dir = tempfile::tempdir()?;
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711))?;
    let data = dir.path().join("data");
    let offered = dir.path().join("offered");
    fs::create_dir(&data)?;
    fs::create_dir(&offered)?;
    fs::copy(Wordpress::V6_5.zip()?, offered.join("wordpress-6.5.zip"))?;
    let mut site = None;
    let mut version = 0;
    // The site's address has it, so it stays.
    let http = machine::free_port()?;
    for pictures in ["off", "auto"] {
        let config = format!(
            "[packages]\ndirectory = \"{}\"\ndistribution = false\n\
             [hosting]\nhttp = \"127.0.0.1:{http}\"\n[updates]\npictures = \"{pictures}\"\n\
             [health]\nconcurrency = 0\n",
            offered.display()
        );
        fs::write(data.join("pressroom.toml"), config)?;
        machine::cli(&data, &["hosting", "up"], "")?;
        if site.is_none() {
            machine::account(&data)?;
            machine::cli(&data, &["domain", "add", DOMAIN, "--account", "Bench"], "")?;
        }
        let (server, _) = Server::start(&data)?;
        if site.is_none() {
            offer(&offered, version)?;
            install(&data, &server.url)?;
            site = Some(Installed::find(&data)?);
            let words = ["plugin", "install", DOMAIN, SLUG, "--activate"];
            machine::cli(&data, &words, "")?;
        }
        let site = site.as_mut().context("the site")?;
        site.web = SocketAddr::from(([127, 0, 0, 1], http));
        let bench = Bench {
            data: &data,
            offered: &offered,
            site,
        };
        let measured = bench.run(table, pictures, &mut version);
        drop(server);
        machine::cli(&data, &["hosting", "down"], "")?;
        measured?;
    }
    Ok(())
}

/// What the site is.
struct Installed {
    /// Where WordPress is.
    root: PathBuf,
    /// Where its pages are served.
    web: SocketAddr,
}

impl Installed {
    fn find(data: &Path) -> Result<Self> {
        let list: Value =
            serde_json::from_str(&machine::cli(data, &["site", "list", "--json"], "")?)?;
        let root = list[0]["root"].as_str().context("the site's directory")?;
        Ok(Self {
            root: root.into(),
            web: SocketAddr::from(([127, 0, 0, 1], 0)),
        })
    }
}

struct Bench<'a> {
    data: &'a Path,
    offered: &'a Path,
    site: &'a Installed,
}

impl Bench<'_> {
    fn run(&self, table: &mut Table, pictures: &str, version: &mut usize) -> Result<()> {
        let rival = WpCli::find();
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let (mut met, mut met_by_rival) = (Vec::new(), Vec::new());
        // The first one warms up.
        for round in 0..=ROUNDS {
            *version += 1;
            offer(self.offered, *version)?;
            let visitor = Visitor::start(self.site.web);
            let took = timing::once(|| self.update())?;
            let downtime = visitor.stop()?;
            self.is_live(*version)?;
            if let Some(wp) = &rival {
                *version += 1;
                let zip = offer(self.offered, *version)?;
                let visitor = Visitor::start(self.site.web);
                let plain = timing::once(|| self.by_wp(wp, &zip))?;
                let downtime = visitor.stop()?;
                self.is_live(*version)?;
                if round > 0 {
                    theirs.push(plain);
                    met_by_rival.push(downtime);
                }
            }
            if round > 0 {
                ours.push(took);
                met.push(downtime);
            }
        }
        let with = match pictures {
            "off" => "without pictures",
            _ => "with pictures",
        };
        let ours = timing::middle(ours);
        let what =
            format!("safe update of one plugin, {FILES} files, tried, applied, verified, {with}");
        let theirs = (!theirs.is_empty()).then(|| timing::middle(theirs));
        let other = theirs.map(|time| {
            (
                "`wp plugin install ZIP --force`, which verifies nothing,",
                time,
            )
        });
        table.push(Row::faster(&what, ours, other, 1.0).reported());
        self.parts(table, with)?;
        if pictures == "off" {
            let rival = (!met_by_rival.is_empty()).then(|| told(&met_by_rival));
            let what = format!("a visitor every {} ms meanwhile", PAUSE.as_millis());
            table.push(Row::told(&what, told(&met), rival));
        }
        Ok(())
    }

    /// One from its beginning to its end; the yes is said where it is asked for, as it is where
    /// no pictures are compared.
    fn update(&self) -> Result<()> {
        let site = format!("domain:{DOMAIN}");
        let words = ["update", &site, "--approve"];
        let ended = machine::output(self.data, &words, "")?;
        match ended.status.code() {
            Some(0) => Ok(()),
            Some(ASKS) => {
                let id = self.last()?;
                machine::cli(self.data, &["pipeline", "approve", &id], "").map(drop)
            }
            code => {
                let said = [ended.stdout, ended.stderr].concat();
                anyhow::bail!("{code:?}: {}", String::from_utf8_lossy(&said))
            }
        }
    }

    /// The id of the newest pipeline.
    fn last(&self) -> Result<String> {
        let list = machine::cli(self.data, &["pipeline", "list", "--json"], "")?;
        let list: Value = serde_json::from_str(&list)?;
        let id = list[0]["id"].as_str().context("a pipeline")?;
        Ok(id.to_owned())
    }

    /// Stage by stage, of the last one; and what its clone needed.
    fn parts(&self, table: &mut Table, with: &str) -> Result<()> {
        let id = self.last()?;
        let words = ["pipeline", "show", &id, "--json"];
        let pipeline: Value = serde_json::from_str(&machine::cli(self.data, &words, "")?)?;
        ensure!(pipeline["status"] == "completed", "{pipeline}");
        let stages = pipeline["stages"].as_array().context("stages")?;
        let mut parts = Vec::new();
        for stage in stages {
            let at = |name: &str| serde_json::from_value::<Timestamp>(stage[name].clone());
            if let (Ok(from), Ok(to)) = (at("started_at"), at("finished_at")) {
                let name = stage["name"].as_str().unwrap_or_default();
                let took = Duration::from_millis(to.millis().abs_diff(from.millis()));
                parts.push(format!("{name} {}", shown(took)));
            }
        }
        table.push(Row::told(
            &format!("its parts, {with}"),
            parts.join(", "),
            None,
        ));
        let clone = stages
            .iter()
            .find(|stage| stage["name"] == "rehearsal")
            .map(|stage| &stage["detail"]["trials"][0])
            .context("a rehearsal")?;
        let figure = |name: &str| {
            clone[name]
                .as_u64()
                .with_context(|| format!("{name}: {clone}"))
        };
        let text = format!(
            "{} files, {} copied, {} shared with the site, tables {}, made in {} ms",
            figure("files")?,
            megabytes(figure("bytes_copied")?),
            megabytes(figure("bytes_shared")?),
            megabytes(figure("bytes_tables")?),
            figure("took_ms")?
        );
        table.push(Row::told("its clone on the disk", text, None));
        Ok(())
    }

    fn by_wp(&self, wp: &WpCli, zip: &Path) -> Result<()> {
        let zip = zip.to_str().context("a plain path")?;
        let words = ["plugin", "install", zip, "--force"];
        let mut command = wp.command(&self.site.root, &words);
        if rustix::process::geteuid().is_root() {
            let owner = fs::metadata(&self.site.root)?;
            command.uid(owner.uid()).gid(owner.gid());
        }
        let output = command.output()?;
        ensure!(
            output.status.success(),
            "wp: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    fn is_live(&self, version: usize) -> Result<()> {
        let main = self
            .site
            .root
            .join(format!("wp-content/plugins/{SLUG}/{SLUG}.php"));
        let text = fs::read_to_string(main)?;
        ensure!(
            text.contains(&format!("Version: 1.0.{version}\n")),
            "{text}"
        );
        Ok(())
    }
}

/// WordPress, installed through the API as a panel does it.
fn install(data: &Path, url: &str) -> Result<()> {
    let token = machine::panel_key(data)?;
    let body = json!({ "domain": DOMAIN, "path": "public_html", "db_name": "bench", "title": "Bench", "version": "6.5.5" });
    Runtime::new()?.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let base = format!("{url}/api/v1/wordpress/install");
        let asked = client.post(&base).bearer_auth(&token).json(&body);
        let told: Value = asked.send().await?.json().await?;
        let job = told["job_id"].as_str().with_context(|| told.to_string())?;
        for _ in 0..600 {
            let asked = client
                .get(format!("{base}/{job}/progress"))
                .bearer_auth(&token);
            let told: Value = asked.send().await?.json().await?;
            match told["status"].as_str() {
                Some("completed") => return Ok(()),
                Some("failed") => anyhow::bail!("{told}"),
                _ => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
        anyhow::bail!("the installation does not end")
    })
}

/// A package of this version, in the directory of what is offered.
fn offer(offered: &Path, version: usize) -> Result<PathBuf> {
    let path = offered.join(format!("{SLUG}.1.0.{version}.zip"));
    let mut zip = ZipWriter::new(fs::File::create(&path)?);
    let options = SimpleFileOptions::default();
    zip.start_file(format!("{SLUG}/{SLUG}.php"), options)?;
    write!(
        zip,
        "<?php\n/*\nPlugin Name: Bench\nVersion: 1.0.{version}\n*/\n\
         add_action('wp_footer', function () {{ echo '<!-- bench -->'; }});\n"
    )?;
    for file in 1..FILES {
        zip.start_file(format!("{SLUG}/src/file-{file}.php"), options)?;
        let mut text = format!("<?php // {version} {file}\n");
        while text.len() < 2_000 + (file * 7919) % 16_000 {
            let _ = writeln!(text, "$value_{} = {};", text.len(), text.len() * 31 + file);
        }
        zip.write_all(text.as_bytes())?;
    }
    zip.finish()?;
    Ok(path)
}

/// Somebody who asks for the front page again and again.
struct Visitor {
    is_over: Arc<AtomicBool>,
    visiting: JoinHandle<Result<Met>>,
}

/// What the visitor met.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    visits: u32,
    /// The announced maintenance.
    maintenance: u32,
    /// A page as if the plugin were not there.
    without: u32,
    /// Anything else.
    broken: u32,
    /// Until the next whole page, the longest time.
    longest: Duration,
}

impl Visitor {
    fn start(web: SocketAddr) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_over);
        let visiting = std::thread::spawn(move || {
            let mut met = Met::default();
            let mut since: Option<Instant> = None;
            while !until.load(Ordering::SeqCst) {
                let at = Instant::now();
                let page = page(web).unwrap_or_default();
                met.visits += 1;
                let is_whole = page.starts_with("HTTP/1.1 200") && page.contains("</html>");
                if is_whole && page.contains("<!-- bench -->") {
                    if let Some(since) = since.take() {
                        met.longest = met.longest.max(since.elapsed());
                    }
                } else {
                    since.get_or_insert(at);
                    if is_whole {
                        met.without += 1;
                    } else if page.starts_with("HTTP/1.1 503") && page.contains("maintenance") {
                        met.maintenance += 1;
                    } else {
                        met.broken += 1;
                    }
                }
                std::thread::sleep(PAUSE);
            }
            Ok(met)
        });
        Self { is_over, visiting }
    }

    fn stop(self) -> Result<Met> {
        self.is_over.store(true, Ordering::SeqCst);
        let ended = self.visiting.join();
        ended.map_err(|_| anyhow::anyhow!("the visitor died"))?
    }
}

fn page(web: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(web)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(
        stream,
        "GET / HTTP/1.1\r\nHost: {DOMAIN}:{}\r\nConnection: close\r\n\r\n",
        web.port()
    )?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Over all rounds.
fn told(all: &[Met]) -> String {
    let sum = |of: fn(&Met) -> u32| all.iter().map(of).sum::<u32>();
    let longest = all.iter().map(|met| met.longest).max().unwrap_or_default();
    format!(
        "of {} visits {} met the announced maintenance, {} a page without the plugin, {} something broken; {} at most",
        sum(|met| met.visits),
        sum(|met| met.maintenance),
        sum(|met| met.without),
        sum(|met| met.broken),
        shown(longest)
    )
}

#[expect(clippy::cast_precision_loss, reason = "megabytes, for people")]
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1_000_000.0)
}
