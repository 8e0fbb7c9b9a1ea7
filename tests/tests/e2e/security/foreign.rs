//! Sites that a web server answers for which is not Pressroom's.

use super::{done, mode, seen};
use anyhow::{Context, Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::wait::eventually_every;
use pressroom_tests::fixture::Fixture;
use serde_json::json;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A web server in the foreground, ended with the test.
struct Foreign {
    child: Child,
    port: u16,
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // It ends its workers on this word.
        let _ = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        let _ = self.child.wait();
    }
}

impl Foreign {
    async fn start(program: &str, arguments: &[&str], port: u16) -> Result<Self> {
        let child = Command::new(program)
            .args(arguments)
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot run `{program}`"))?;
        let server = Self { child, port };
        eventually_every(
            Duration::from_millis(100),
            format!("an answer of `{program}`"),
            Duration::from_secs(20),
            || async {
                std::net::TcpStream::connect(("127.0.0.1", port))?;
                Ok(())
            },
        )
        .await?;
        Ok(server)
    }

    /// `otherwise` is where what is no file is led to.
    async fn nginx(directory: &Path, root: &Path, pool: &str, otherwise: &str) -> Result<Self> {
        let port = free_port()?;
        let at = directory.display();
        let conf = format!(
            "user www-data; daemon off; pid {at}/nginx.pid; error_log {at}/nginx.log; events {{}}\n\
             http {{ access_log off; include /etc/nginx/mime.types;\n\
             server {{ listen 127.0.0.1:{port}; root {root}; index index.php; autoindex on;\n\
             location / {{ try_files $uri $uri/ {otherwise}; }}\n\
             location ~ \\.php$ {{ include /etc/nginx/fastcgi_params; fastcgi_param HTTP_HOST $http_host;\n\
             fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass unix:{pool}; }} }} }}\n",
            root = root.display()
        );
        let path = directory.join("nginx.conf");
        fs::write(&path, conf)?;
        let path = path.display().to_string();
        Self::start("nginx", &["-c", &path, "-p", &at.to_string()], port).await
    }

    async fn apache(directory: &Path, root: &Path, pool: &str) -> Result<Self> {
        let port = free_port()?;
        let at = directory.display();
        let modules: String = [
            "mpm_event",
            "authz_core",
            "dir",
            "mime",
            "autoindex",
            "rewrite",
            "proxy",
            "proxy_fcgi",
        ]
        .iter()
        .fold(String::new(), |all, name| {
            all + &format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n")
        });
        let conf = format!(
            "ServerName localhost\nListen 127.0.0.1:{port}\nPidFile {at}/apache.pid\nErrorLog {at}/apache.log\n\
             DefaultRuntimeDir {at}\n{modules}User www-data\nGroup www-data\nTypesConfig /etc/mime.types\n\
             DocumentRoot {root}\nDirectoryIndex index.php\n\
             <Directory {root}>\nOptions Indexes FollowSymLinks\nAllowOverride All\nRequire all granted\n</Directory>\n\
             <FilesMatch \"\\.php$\">\nSetHandler \"proxy:unix:{pool}|fcgi://localhost/\"\n</FilesMatch>\n",
            root = root.display()
        );
        let path = directory.join("apache.conf");
        fs::write(&path, conf)?;
        let path = path.display().to_string();
        Self::start("apache2", &["-DFOREGROUND", "-f", &path], port).await
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Where the pool of a domain listens.
fn pool(data: &Path, domain: &str) -> Result<String> {
    let text = fs::read_to_string(data.join(format!("hosting/fpm/pools/{domain}.conf")))?;
    let line = text.lines().find_map(|line| line.strip_prefix("listen = "));
    Ok(line.context("a socket")?.to_owned())
}

/// A directory that the server's workers may pass.
fn directory(fixture: &Fixture, name: &str) -> Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let directory = fixture.server.scratch().join(name);
    fs::create_dir_all(&directory)?;
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755))?;
    Ok(directory)
}

/// Has every site registered to answer at this port, as one whose server is elsewhere.
async fn answers_at(fixture: &mut Fixture, port: u16) -> Result<()> {
    fixture.server.stop()?;
    let changed = Command::new("sqlite3")
        .arg(fixture.server.data().join("pressroom.db"))
        .arg(format!(
            "UPDATE environments SET origin_addr = '127.0.0.1:{port}'"
        ))
        .status()
        .context("cannot run `sqlite3`")?;
    ensure!(changed.success(), "the address was not changed");
    fixture.server.launch().await
}

// Rows: T38
#[tokio::test]
async fn rules_in_htaccess_are_told_by_what_comes_of_them() -> Result<()> {
    const HOST: &str = "elsewhere.press.example";
    let mut fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(HOST).await?;
    fs::write(site.root.join("readme.html"), "VERSION-TOLD")?;
    let rules = site.root.join(".htaccess");
    let foreign = "# mine\r\nDirectoryIndex index.php\n<IfModule mod_rewrite.c>\nRewriteEngine On\n\
                   RewriteCond %{REQUEST_FILENAME} !-f\nRewriteCond %{REQUEST_FILENAME} !-d\nRewriteRule . /index.php [L]\n</IfModule>";
    fs::write(&rules, foreign)?;
    site.own(&site.root)?;
    let config = site.root.join("wp-config.php");
    let pool = pool(&fixture.server.data(), HOST)?;
    let nginx = directory(&fixture, "nginx")?;
    let nginx = Foreign::nginx(&nginx, &site.root, &pool, "/index.php?$args").await?;
    let bare = directory(&fixture, "bare")?;
    let bare = Foreign::nginx(&bare, &site.root, &pool, "=404").await?;
    let apache = Foreign::apache(&directory(&fixture, "apache")?, &site.root, &pool).await?;
    answers_at(&mut fixture, nginx.port).await?;
    let before = seen(&fixture, &site).await?;
    assert_eq!(before["file_protection"], false, "{before}");
    assert_eq!(before["directory_listing"], true, "{before}");
    for _ in 0..2 {
        let on = done(
            &fixture,
            &site,
            "file-protection",
            json!({ "enabled": true }),
        )
        .await?;
        let warning = on["warning"].as_str().context("a warning")?;
        ensure!(
            warning.contains("readme.html") && warning.contains(".htaccess"),
            "{on}"
        );
        assert_eq!(on["security"]["file_protection"], false, "{on}");
        assert_eq!(on["security"]["wp_config_mode"], "0640", "{on}");
        let text = fs::read_to_string(&rules)?;
        ensure!(text.ends_with(foreign), "{text}");
        assert_eq!(text.matches("# BEGIN Pressroom").count(), 1);
    }
    let off = done(
        &fixture,
        &site,
        "file-protection",
        json!({ "enabled": false }),
    )
    .await?;
    ensure!(off.get("warning").is_none(), "{off}");
    assert_eq!(fs::read_to_string(&rules)?, foreign);
    assert_eq!(mode(&config)?, 0o600);

    // The same files behind a server that reads the rules.
    answers_at(&mut fixture, apache.port).await?;
    let before = seen(&fixture, &site).await?;
    assert_eq!(before["file_protection"], false, "{before}");
    assert_eq!(before["directory_listing"], true, "{before}");
    let on = done(&fixture, &site, "file-protection", json!({})).await?;
    ensure!(on.get("warning").is_none(), "{on}");
    assert_eq!(on["security"]["file_protection"], true, "{on}");
    assert_eq!(on["security"]["directory_listing"], false, "{on}");
    // A login page hides behind any server.
    let hidden = done(
        &fixture,
        &site,
        "hide-login",
        json!({ "slug": "side-door" }),
    )
    .await?;
    assert_eq!(
        hidden["security"]["hide_login"]["enabled"], true,
        "{hidden}"
    );
    done(&fixture, &site, "hide-login", json!({ "enabled": false })).await?;
    let off = done(
        &fixture,
        &site,
        "file-protection",
        json!({ "enabled": false }),
    )
    .await?;
    assert_eq!(off["security"]["file_protection"], false, "{off}");
    assert_eq!(fs::read_to_string(&rules)?, foreign);

    // Where no address but that of a file leads to WordPress, all lead to `/?slug`.
    let door = json!({ "slug": "side-door" });
    let shown = "require 'wp-load.php'; echo wp_login_url(), ' ', wp_logout_url();";
    answers_at(&mut fixture, bare.port).await?;
    let hidden = done(&fixture, &site, "hide-login", door.clone()).await?;
    ensure!(
        hidden["message"]
            .as_str()
            .is_some_and(|said| said.ends_with("/?side-door")),
        "{hidden}"
    );
    let led = site.php(shown)?;
    assert_eq!(led.matches("/?side-door").count(), 2, "{led}");
    let own = fixture.server.sites_port();
    answers_at(&mut fixture, own).await?;
    let hidden = done(&fixture, &site, "hide-login", door).await?;
    ensure!(
        hidden["message"]
            .as_str()
            .is_some_and(|said| said.ends_with("/side-door/")),
        "{hidden}"
    );
    let led = site.php(shown)?;
    assert_eq!(led.matches("/side-door/").count(), 2, "{led}");
    // Who came by the one goes on by it.
    for page in ["/side-door/", "/?side-door"] {
        let form = site.get(page).await?.body;
        ensure!(
            form.contains(&format!("action=\"{}{page}\"", site.url)),
            "{form}"
        );
    }
    drop((nginx, bare, apache));
    Ok(())
}
