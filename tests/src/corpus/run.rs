//! Updates sent through the pipelines of a server, one at a time at each site.

use super::{Case, Kind, NEW, Needs, OLD};
use crate::fixture::Fixture;
use anyhow::{Context, Result, bail, ensure};
use pressroom_testkit::{
    Options,
    server::Pressroom,
    site::{Page, Site},
    tree::Tree,
    wait::eventually_every,
    wordpress_org::WordPressOrg,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Component, Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// How long one pipeline may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(8);
/// Between looks at one.
const PAUSE: Duration = Duration::from_secs(2);

/// What became of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// It did not come near the site, for what was seen before or in the rehearsal.
    Stopped,
    /// It was at the site, and was taken back.
    TakenBack,
    /// It is at the site.
    Passed,
}

/// An update that went through a pipeline.
#[derive(Debug)]
pub struct Outcome {
    /// What it was.
    pub case: Case,
    /// What became of it.
    pub ending: Ending,
    /// Findings that stopped it, by their kinds; `package` where it was stopped before it was
    /// tried. Of one that passed, findings that are no notes.
    pub named: Vec<String>,
    /// The first of them in words.
    pub message: String,
    /// What is not as it should be; empty where all is.
    pub wrong: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl Outcome {
    /// Of one that could not even be tried.
    fn failed(case: Case, error: &anyhow::Error) -> Self {
        Self {
            case,
            ending: Ending::Stopped,
            named: Vec::new(),
            message: String::new(),
            wrong: vec![format!("{error:#}")],
            took: Duration::ZERO,
        }
    }

    /// Whether there was a package to try.
    fn is_tried(&self) -> bool {
        self.named != ["package"]
    }
}

/// A site with a way to send updates to it.
struct Ground<'a> {
    server: &'a Pressroom,
    org: &'a WordPressOrg,
    site: &'a Site,
    selector: String,
    has_page_cache: bool,
}

/// What must be as before after a bad update.
struct State {
    tree: Tree,
    rows: BTreeMap<String, String>,
    pages: Vec<Page>,
}

/// A server that gets what is offered from here, and what it is started with.
pub fn options(org: &WordPressOrg, pictures: bool) -> Options {
    let mut options = Options::default();
    let pictures = if pictures { "auto" } else { "off" };
    options.config = format!("[updates]\npictures = \"{pictures}\"\n");
    let address = org.base_url.trim_end_matches('/').to_owned();
    options
        .env
        .push(("PRESSROOM_PACKAGES__WORDPRESS_ORG".into(), address));
    options
}

/// Sends updates through the pipelines of one server, at a few sites of its own.
pub async fn hosted(cases: Vec<Case>) -> Result<Vec<Outcome>> {
    let org = WordPressOrg::start(Vec::new()).await?;
    let pictures = cases.iter().any(|case| case.class.needs == Needs::Pictures);
    let fixture = Fixture::start(options(&org, pictures)).await?;
    let count = cases.len();
    let waiting = Mutex::new(cases.into_iter());
    // The machine does two things at once; a site does one.
    let at = async |domain: &str| {
        let site = fixture.install(domain).await?;
        let ground = Ground {
            server: &fixture.server,
            org: &org,
            site: &site,
            selector: format!("domain:{domain}"),
            has_page_cache: false,
        };
        ground.work(&waiting).await
    };
    if count < 2 {
        return at("one.press.example").await;
    }
    let (one, other) = tokio::try_join!(at("one.press.example"), at("two.press.example"))?;
    Ok([one, other].into_iter().flatten().collect())
}

/// Sends updates through the pipelines of a server with one site that was there before.
pub async fn adopted(
    server: &Pressroom,
    org: &WordPressOrg,
    site: &Site,
    cases: Vec<Case>,
) -> Result<Vec<Outcome>> {
    let waiting = Mutex::new(cases.into_iter());
    let ground = Ground {
        server,
        org,
        site,
        selector: "all".to_owned(),
        has_page_cache: false,
    };
    ground.work(&waiting).await
}

impl Ground<'_> {
    async fn work(mut self, waiting: &Mutex<std::vec::IntoIter<Case>>) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        loop {
            let Some(case) = waiting.lock().await.next() else {
                return Ok(outcomes);
            };
            let outcome = match self.run(case.clone()).await {
                Ok(outcome) => outcome,
                // The others are told all the same, where the site is still good for them.
                Err(error) => {
                    self.clear(&case).await?;
                    Outcome::failed(case, &error)
                }
            };
            eprintln!(
                "{:22} {} {:9?} {:4.0} s  {} {} {}",
                outcome.case.class.name,
                outcome.case.number,
                outcome.ending,
                outcome.took.as_secs_f64(),
                outcome.named.join(" "),
                outcome.message,
                outcome.wrong.join("; "),
            );
            outcomes.push(outcome);
        }
    }

    /// Sends one through a pipeline, and looks at the site.
    async fn run(&mut self, case: Case) -> Result<Outcome> {
        self.lay(&case).await?;
        let before = self.state(&case).await?;
        for page in &before.pages {
            ensure!(
                page.status == 200 && page.body.contains(&case.mark(OLD)),
                "the old version is not good: {} {}",
                page.status,
                page.body.chars().take(600).collect::<String>()
            );
        }
        self.org.add(case.offer());
        if let Some(trouble) = case.trouble() {
            self.org.withhold(&case.slug, NEW, trouble);
        }
        let begun = Instant::now();
        let over = self.update(&case).await?;
        let mut outcome = read(case, &over)?;
        outcome.took = begun.elapsed();
        let case = &outcome.case;
        let mut wrong = Vec::new();
        match (case.class.kind, outcome.ending) {
            (Kind::Bad, Ending::Passed) => wrong.push("it passed".to_owned()),
            (Kind::Good, Ending::Stopped | Ending::TakenBack) => {
                wrong.push(format!("it was stopped: {over}"));
            }
            (Kind::Good, Ending::Passed) => wrong.extend(self.is_updated(case).await?),
            (Kind::Bad, _) => {
                wrong.extend(self.is_as_before(case, &before).await?);
                let is_named = |name: &&str| outcome.named.iter().any(|found| found == name);
                if !case.class.named.iter().any(is_named) {
                    wrong.push(format!("nothing names it: {}", over["findings"]));
                }
            }
        }
        let stages = over["stages"].as_array().context("stages")?;
        let skipped = stages.iter().find(|stage| {
            stage["name"] == "rehearsal" && stage["status"] == "skipped" && outcome.is_tried()
        });
        wrong.extend(skipped.map(|stage| format!("it was not rehearsed: {stage}")));
        outcome.wrong = wrong;
        self.clear(&outcome.case).await?;
        Ok(outcome)
    }

    /// The command line asks, and says yes where somebody is to.
    async fn update(&self, case: &Case) -> Result<Value> {
        let only = case.label();
        let mut words = vec!["update", &self.selector, "--only", &only, "--approve"];
        for path in &case.paths {
            words.extend(["--path", path]);
        }
        words.push("--no-wait");
        let asked = self.server.cli(&words, "").await?;
        ensure!(asked.code == 0, "{asked:?}");
        let id = asked.stdout.trim().to_owned();
        ensure!(id.starts_with("pipe_"), "{asked:?}");
        let show = ["--json", "pipeline", "show", id.as_str()];
        eventually_every(PAUSE, format!("the end of {id}"), PATIENCE, || async {
            let found = self.server.cli(&show, "").await?.line()?;
            let found: Value = serde_json::from_str(&found)?;
            let status = found["status"].as_str().unwrap_or_default();
            if status == "awaiting_approval" {
                let yes = ["pipeline", "approve", id.as_str(), "--no-wait"];
                let yes = self.server.cli(&yes, "").await?;
                ensure!(yes.code == 0, "{yes:?}");
            }
            ensure!(
                ["completed", "failed", "rolled_back", "cancelled"].contains(&status),
                "{found}"
            );
            Ok(found)
        })
        .await
    }

    fn directory(&self, case: &Case) -> PathBuf {
        let kind = if case.is_theme { "themes" } else { "plugins" };
        self.site
            .root
            .join("wp-content")
            .join(kind)
            .join(&case.slug)
    }

    /// The old version, in use, with its pages, as its owner left it.
    async fn lay(&mut self, case: &Case) -> Result<()> {
        let directory = self.directory(case);
        for (path, content) in &case.old {
            let path = Path::new(path);
            let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
            ensure!(path.components().all(plain), "{}", path.display());
            let file = directory.join(path);
            fs::create_dir_all(file.parent().context("a file lies in a directory")?)?;
            fs::write(file, content)?;
        }
        self.site.own(&directory)?;
        let in_use = if case.is_theme {
            format!("switch_theme('{}');", case.slug)
        } else {
            format!(
                "require_once ABSPATH . 'wp-admin/includes/plugin.php'; \
                 $done = activate_plugin('{0}/{0}.php'); \
                 if (is_wp_error($done)) {{ fwrite(STDERR, $done->get_error_message()); exit(1); }}",
                case.slug
            )
        };
        let mut code =
            format!("{START} update_option('corpus_theme', get_stylesheet(), false); {in_use}");
        for post in &case.posts {
            let _ = write!(
                code,
                " wp_insert_post(array('post_type' => 'page', 'post_status' => 'publish', \
                 'post_name' => '{0}', 'post_title' => '{0}', 'post_content' => {1:?}));",
                post.name,
                post.content.replace('$', ""),
            );
        }
        self.site.php(&code)?;
        let wants_cache = case.class.needs == Needs::PageCache;
        if wants_cache != self.has_page_cache {
            let (_, domain) = self.selector.split_once(':').context("a domain")?;
            let words: &[&str] = if wants_cache {
                &["cache", "enable", domain, "--type", "page"]
            } else {
                &["cache", "disable", domain, "--type", "page"]
            };
            let done = self.server.cli(words, "").await?;
            ensure!(done.code == 0, "{done:?}");
            self.has_page_cache = wants_cache;
        }
        // WordPress makes what it makes at its first requests, its events among them.
        for path in ["/", "/wp-cron.php", "/"] {
            self.site.get(path).await?;
        }
        Ok(())
    }

    async fn pages(&self, case: &Case) -> Result<Vec<Page>> {
        let mut pages = Vec::new();
        for path in &case.paths {
            pages.push(self.site.get(path).await?);
        }
        Ok(pages)
    }

    async fn state(&self, case: &Case) -> Result<State> {
        Ok(State {
            pages: self.pages(case).await?,
            tree: Tree::of_directory(&self.directory(case))?,
            rows: self.rows()?,
        })
    }

    /// Each table but the options, and each option that does not change by itself, as a sum.
    fn rows(&self) -> Result<BTreeMap<String, String>> {
        let told = self.site.php(ROWS)?;
        serde_json::from_str(&told).with_context(|| format!("not rows: {told}"))
    }

    /// What is otherwise than before a bad update.
    async fn is_as_before(&self, case: &Case, before: &State) -> Result<Vec<String>> {
        let now = self.state(case).await?;
        let mut wrong = before.tree.difference(&now.tree);
        for name in before.rows.keys().chain(now.rows.keys()) {
            if before.rows.get(name) != now.rows.get(name) {
                wrong.push(format!("rows of {name} are others"));
            }
        }
        wrong.dedup();
        for (path, (then, now)) in case.paths.iter().zip(before.pages.iter().zip(&now.pages)) {
            if (then.status, steady(&then.body)) != (now.status, steady(&now.body)) {
                wrong.push(format!(
                    "{path} is another page: {} {}",
                    now.status,
                    now.body.chars().take(300).collect::<String>()
                ));
            }
        }
        if self.site.root.join(".maintenance").exists() {
            wrong.push("it is in maintenance".to_owned());
        }
        Ok(wrong)
    }

    /// What is missing after a good update.
    async fn is_updated(&self, case: &Case) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        for (path, page) in case.paths.iter().zip(self.pages(case).await?) {
            if page.status != 200 || !page.body.contains(&case.mark(NEW)) {
                wrong.push(format!("{path} is not of the new version: {}", page.status));
            }
        }
        Ok(wrong)
    }

    /// Nothing of it is left, and the site is well.
    async fn clear(&self, case: &Case) -> Result<()> {
        self.site.php(&format!(
            "define('SHORTINIT', true); require 'wp-load.php'; \
             $on = unserialize($wpdb->get_var(\"SELECT option_value FROM $wpdb->options WHERE option_name = 'active_plugins'\")); \
             $on = array_values(array_diff((array) $on, array('{0}/{0}.php'))); \
             $wpdb->update($wpdb->options, array('option_value' => serialize($on)), array('option_name' => 'active_plugins')); \
             $theme = $wpdb->get_var(\"SELECT option_value FROM $wpdb->options WHERE option_name = 'corpus_theme'\"); \
             foreach (array('template', 'stylesheet') as $name) {{ \
                 $wpdb->update($wpdb->options, array('option_value' => $theme), array('option_name' => $name)); }}",
            case.slug
        ))?;
        fs::remove_dir_all(self.directory(case))?;
        self.site.php(&format!(
            "{START} foreach (get_posts(array('post_type' => 'page', 'numberposts' => -1)) as $post) {{ \
                 if (0 === strpos($post->post_name, '{0}')) {{ wp_delete_post($post->ID, true); }} }} \
             foreach ($wpdb->get_col(\"SHOW TABLES LIKE '{{$wpdb->prefix}}{1}%'\") as $table) {{ $wpdb->query(\"DROP TABLE $table\"); }} \
             $wpdb->query(\"DELETE FROM $wpdb->options WHERE option_name LIKE '{1}%' OR option_name = 'widget_text'\"); \
             foreach ((array) _get_cron_array() as $hooks) {{ foreach ((array) $hooks as $hook => $any) {{ \
                 if (0 === strpos($hook, '{1}')) {{ wp_unschedule_hook($hook); }} }} }}",
            case.slug, case.prefix
        ))?;
        let page = self.site.get("/").await?;
        let logs = self.site.root.join("../logs");
        let log = fs::read_dir(&logs).into_iter().flatten().flatten();
        let log: Vec<String> = log
            .filter_map(|file| fs::read_to_string(file.path()).ok())
            .collect();
        let log = log.join("\n");
        let end = log.len().saturating_sub(1500);
        ensure!(
            page.status == 200,
            "the site is spoiled: {page:?} {}",
            log.get(end..).unwrap_or_default()
        );
        Ok(())
    }
}

const START: &str = "$_SERVER['HTTP_HOST'] = 'x.example'; define('WP_ADMIN', true); require 'wp-load.php'; global $wpdb;";

const ROWS: &str = r#"define('SHORTINIT', true); require 'wp-load.php';
$rows = array();
foreach ($wpdb->get_col('SHOW TABLES') as $table) {
    if ($table === $wpdb->options) {
        foreach ($wpdb->get_results("SELECT option_name, option_value, autoload FROM $table") as $row) {
            if (!preg_match('/^(_transient_|_site_transient_|cron$|rewrite_rules$|recovery_|category_children$)|\.lock$|_last$/', $row->option_name)) {
                $rows['option ' . $row->option_name] = md5($row->option_value . $row->autoload);
            }
        }
    } else {
        $sum = $wpdb->get_row("CHECKSUM TABLE `$table`", ARRAY_N);
        $rows[$table] = (string) $sum[1];
    }
}
echo json_encode($rows);"#;

/// A page without what is another each time it is asked for.
fn steady(body: &str) -> String {
    let shown = body.split("<!-- Performance").next().unwrap_or_default();
    shown.trim_end().to_owned()
}

/// What became of it, as the pipeline says.
fn read(case: Case, over: &Value) -> Result<Outcome> {
    let targets = over["targets"].as_array().context("targets")?;
    let [target] = targets.as_slice() else {
        bail!("not one target: {targets:?}");
    };
    let status = target["status"].as_str().context("a status")?;
    let ending = match (over["status"].as_str(), status) {
        (Some("completed"), "updated") => Ending::Passed,
        (_, "rolled_back") | (Some("rolled_back"), _) => Ending::TakenBack,
        // Of a completed one it was at the site's door: its package was refused there, and
        // nothing went live.
        (Some("failed" | "completed"), "failed") => Ending::Stopped,
        other => bail!("not an ending: {other:?} {over}"),
    };
    let findings = over["findings"].as_array().context("findings")?;
    let counts = |found: &&Value| match ending {
        Ending::Passed => found["severity"] == "warning" || found["severity"] == "blocking",
        Ending::Stopped | Ending::TakenBack => found["severity"] == "blocking",
    };
    let counted: Vec<&Value> = findings.iter().filter(counts).collect();
    let mut named = Vec::new();
    for found in &counted {
        let what = found["what"].as_str().context("what")?.to_owned();
        if !named.contains(&what) {
            named.push(what);
        }
    }
    let mut message = counted
        .first()
        .and_then(|found| found["message"].as_str())
        .unwrap_or_default()
        .to_owned();
    if named.is_empty() && ending != Ending::Passed {
        named.push("package".to_owned());
        let said = [&target["error"], &over["error"]];
        let said = said.iter().find_map(|said| said.as_str());
        said.unwrap_or_default().clone_into(&mut message);
    }
    Ok(Outcome {
        case,
        ending,
        named,
        message,
        wrong: Vec::new(),
        took: Duration::ZERO,
    })
}
