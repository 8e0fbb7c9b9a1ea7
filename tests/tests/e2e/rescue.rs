//! Taking an update back where nothing helps: `php` does not run any more, PHP's own cache
//! never looks at a file again, and options live in Redis.

use crate::{
    caches::enable,
    pipelines::{is, nothing_left, place, target},
};
use anyhow::{Context, Result, ensure};
use pressroom_testkit::{
    Options, Pressroom, Scratch, eventually, plugin::zip_of, redis::Redis, site::Site,
};
use pressroom_tests::{client::Client, fixture::Fixture};
use reqwest::Method;
use serde_json::json;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const SLUG: &str = "sly";

/// A plugin that shows an option of its own at the foot of each page.
fn plugin(version: &str, code: &str) -> Vec<u8> {
    let main = format!(
        "<?php\n/*\nPlugin Name: Sly\nVersion: {version}\n*/\n{code}\n\
         add_action('wp_footer', function () {{ \
         echo '<!-- sly {version} ', get_option('sly_is', 'unset'), ' -->'; }});\n"
    );
    zip_of(&[(&format!("{SLUG}/{SLUG}.php"), &main)])
}

/// A `php` that is the real one until a file is there, and `/bin/false` from then on.
struct Php {
    file: PathBuf,
}

impl Php {
    fn new(scratch: &Path) -> Result<Self> {
        let file = scratch.join("php");
        fs::write(&file, "#!/bin/sh\nexec /usr/bin/php \"$@\"\n")?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
        Ok(Self { file })
    }

    fn dies_with(&self, switch: &Path) -> Result<()> {
        let script = format!(
            "#!/bin/sh\n[ ! -e '{}' ] || exec /bin/false\nexec /usr/bin/php \"$@\"\n",
            switch.display()
        );
        Ok(fs::write(&self.file, script)?)
    }

    fn runs(&self) -> Result<bool> {
        let status = Command::new(&self.file).args(["-r", "exit(0);"]).status()?;
        Ok(status.success())
    }
}

/// From now on PHP's cache never asks whether a file of the site has changed.
async fn freeze(server: &Pressroom, site: &Site, domain: &str) -> Result<()> {
    let fpm = server.data().join("hosting/fpm");
    let pool = fpm.join("pools").join(format!("{domain}.conf"));
    let text = fs::read_to_string(&pool)?;
    let looks = "php_admin_value[opcache.validate_timestamps] = 1";
    ensure!(text.contains(looks), "{text}");
    let never = "php_admin_value[opcache.validate_timestamps] = 0";
    fs::write(&pool, text.replace(looks, never))?;
    let pid: i32 = fs::read_to_string(fpm.join("php-fpm.pid"))?
        .trim()
        .parse()?;
    let pid = rustix::process::Pid::from_raw(pid).context("a process")?;
    rustix::process::kill_process(pid, rustix::process::Signal::USR2)?;
    // It is so once a changed file is not seen any more.
    let mut round = 0;
    eventually("PHP's cache is frozen", Duration::from_secs(20), || {
        round += 1;
        let name = format!("frozen-{round}.php");
        async move {
            let probe = site.root.join(&name);
            fs::write(&probe, "<?php echo 'one';")?;
            // PHP does not keep what is younger than two seconds.
            let old = fs::FileTimes::new()
                .set_modified(std::time::SystemTime::now() - Duration::from_mins(1));
            fs::File::options()
                .write(true)
                .open(&probe)?
                .set_times(old)?;
            let path = format!("/{name}");
            ensure!(site.get(&path).await?.body.contains("one"));
            fs::write(&probe, "<?php echo 'two';")?;
            let seen = site.get(&path).await?;
            fs::remove_file(&probe)?;
            ensure!(seen.body.contains("one"));
            Ok(())
        }
    })
    .await
}

#[tokio::test]
async fn a_site_comes_back_without_php_from_frozen_caches() -> Result<()> {
    const DOMAIN: &str = "rescue.press.example";
    let redis = Redis::start()?;
    let scratch = Scratch::new()?;
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755))?;
    let php = Php::new(scratch.path())?;
    let options = Options {
        config: format!("[updates]\npictures = \"off\"\n{}", redis.config()),
        env: vec![(
            "PRESSROOM_HOSTING__PHP".to_owned(),
            php.file.display().to_string(),
        )],
        ..Options::default()
    };
    let fixture = Fixture::start(options).await?;
    let site = fixture.install(DOMAIN).await?;
    fixture.offer_zip("sly.1.0.0.zip", &plugin("1.0.0", ""))?;
    let words = ["plugin", "install", &site.id, SLUG, "--activate"];
    let done = fixture.server.cli(&words, "").await?;
    ensure!(done.code == 0, "{done:?}");
    site.php("require 'wp-load.php'; update_option('sly_is', 'old');")?;
    enable(&fixture, &site, "object").await?;
    freeze(&fixture.server, &site, DOMAIN).await?;
    site.front_page_with("<!-- sly 1.0.0 old -->").await?;
    let before = site.plugin_tree(SLUG)?;

    // In a clone it is fine. wp-admin changes the option, for Redis too; the first visitor
    // at the site switches `php` off, and meets a dead page; so does everybody else.
    let switch = site.root.join("wp-content/off");
    php.dies_with(&switch)?;
    let sly = format!(
        "add_action('admin_init', function () {{ update_option('sly_is', 'new'); }});\n\
         if (PHP_SAPI === 'fpm-fcgi') {{\n    \
         add_action('init', function () {{\n        \
         touch('{}');\n        nobody_has_this();\n    }});\n}}",
        switch.display()
    );
    fixture.offer_zip("sly.1.1.0.zip", &plugin("1.1.0", &sly))?;
    let client = Client::of(&fixture.server).await?;
    let place = place(&client).await?;
    let made = client.make(&place, &json!({ "all": true })).await?;
    let here = format!("{place}/{}", made["id"].as_str().context("an id")?);
    let waits = is(&client, &here, "awaiting_approval").await?;
    assert_eq!(waits["status"], "awaiting_approval", "{waits}");
    ensure!(php.runs()?, "it was switched off in the clone");
    let yes = client
        .send(Method::POST, &format!("{here}/approve"), None)
        .await?;
    yes.expect(200)?;

    let over = is(&client, &here, "rolled_back").await?;
    assert_eq!(over["status"], "rolled_back", "{over}");
    assert_eq!(target(&over, SLUG)?["status"], "rolled_back", "{over}");
    ensure!(!php.runs()?, "it was never live");
    // The old files, the old code and the old option, as visitors get them.
    let difference = before.difference(&site.plugin_tree(SLUG)?);
    ensure!(difference.is_empty(), "{difference:?}");
    site.front_page_with("<!-- sly 1.0.0 old -->").await?;
    ensure!(!site.root.join(".maintenance").exists());
    nothing_left(&site).await
}
