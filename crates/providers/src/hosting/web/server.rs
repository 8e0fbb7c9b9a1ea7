//! The text of an nginx server block. What all blocks share stands in `nginx.conf`,
//! see `stack/nginx/conf.rs`.

use super::{WebSite, rules};
use sha2::{Digest, Sha256};
use std::{fmt::Write, net::SocketAddr, path::Path};

/// A server block and the hash under which the control socket announces it.
pub struct Server {
    pub text: String,
    pub hash: String,
}

/// Where a server block listens and what it hands requests to.
pub struct Ground<'a> {
    /// The pool's socket.
    pub pool: &'a Path,
    /// Plain HTTP.
    pub http: SocketAddr,
    /// HTTPS, for sites with a certificate.
    pub https: Option<SocketAddr>,
    /// The control socket.
    pub control: &'a Path,
    /// The access log, when the site has one.
    pub access_log: &'a Path,
    /// A digest of the certificate's files, so that a renewed one is a change.
    pub certificate: Option<&'a str>,
}

/// Serves files as the web server's user and hands PHP to the pool. nginx may be
/// unable to look into the home (mode 0700): nothing on the way to a PHP page asks
/// whether its file exists.
pub fn render(site: &WebSite, ground: &Ground<'_>) -> Server {
    let wildcard = site.wildcard();
    let names: Vec<_> = site.names().chain(wildcard.as_deref()).collect();
    let names = names.join(" ");
    let root = site.root().display().to_string();
    let home = site.home.display();
    let limits = &site.limits;
    let pool = format!("fastcgi_pass unix:{};", ground.pool.display());
    let mut text = String::new();
    let mut line = |line: std::fmt::Arguments<'_>| {
        let _infallible = writeln!(text, "{line}");
    };
    line(format_args!("server {{"));
    line(format_args!("listen {};", ground.http));
    if let (Some(tls), Some(https)) = (&site.tls, ground.https) {
        line(format_args!("listen {https} ssl http2;"));
        line(format_args!(
            "# certificate {}",
            ground.certificate.unwrap_or_default()
        ));
        line(format_args!(
            "ssl_certificate {};",
            tls.certificate.display()
        ));
        line(format_args!("ssl_certificate_key {};", tls.key.display()));
        // What a proxy before us got over HTTPS is not sent there again.
        let port = match https.port() {
            443 => String::new(),
            port => format!(":{port}"),
        };
        line(format_args!(
            "if ($pressroom_plain) {{ return 301 https://$host{port}$request_uri; }}"
        ));
    }
    line(format_args!("server_name {names};"));
    line(format_args!("root {root};"));
    line(format_args!("index index.php index.html;"));
    // The document root is the site's own to replace: a link there is checked as well.
    line(format_args!("disable_symlinks if_not_owner from={home};"));
    line(format_args!(
        "client_max_body_size {}m;",
        limits.request_mb()
    ));
    // PHP's own limit ends a request first, and says why.
    line(format_args!(
        "fastcgi_read_timeout {}s;",
        limits.request_timeout_s + 10
    ));
    if site.access_log {
        line(format_args!(
            "access_log {} pressroom;",
            ground.access_log.display()
        ));
    }
    let refused = rules::REFUSED.map(str::to_owned);
    for refused in refused.into_iter().chain(site.refused()) {
        line(format_args!("location ~ \"{refused}\" {{ return 403; }}"));
    }
    line(format_args!(
        "location ~ \"{}\" {{ return 301 $uri/$is_args$args; }}",
        rules::ADMIN
    ));
    // nginx may be unable to see that this is a directory.
    line(format_args!(
        "location ~ \"{}\" {{ rewrite ^ $admin/index.php last; }}",
        rules::ADMIN_INDEX
    ));
    let rewrites = site.rewrites();
    let is_network = !rewrites.is_empty();
    // In a network a missing file may be that of another of its sites.
    let otherwise = |index: &str| {
        if is_network {
            "@network".to_owned()
        } else {
            format!("{index}?$args")
        }
    };
    for directory in &site.subdirectories {
        let otherwise = otherwise(&format!("/{directory}/index.php"));
        line(format_args!(
            "location /{directory}/ {{ try_files $uri $uri/ {otherwise}; }}"
        ));
    }
    let last = otherwise("/index.php");
    line(format_args!(
        "location / {{ try_files $uri $uri/ {last}; }}"
    ));
    let found = if is_network {
        "try_files $uri @program; "
    } else {
        ""
    };
    line(format_args!(
        "location ~ \"{}\" {{ limit_req zone=pressroom_login burst=30 nodelay; {found}{pool} }}",
        rules::LOGIN
    ));
    line(format_args!(
        "location ~ \"{}\" {{ limit_req zone=pressroom_xmlrpc burst=60 nodelay; {found}{pool} }}",
        rules::XMLRPC
    ));
    line(format_args!(
        "location ~ \"{}\" {{ {found}{pool} }}",
        rules::PHP
    ));
    if is_network {
        let rewrites = rewrites.iter().fold(String::new(), |mut all, rule| {
            let _infallible = write!(all, "rewrite \"{}\" {} last; ", rule.from, rule.to);
            all
        });
        let mut indexes: Vec<_> = site.subdirectories.iter().collect();
        indexes.sort_by_key(|directory| std::cmp::Reverse(directory.len()));
        let indexes = indexes.iter().fold(String::new(), |mut all, directory| {
            let at = directory.replace('.', r"\.");
            let _infallible = write!(all, "rewrite \"^/{at}/\" /{directory}/index.php last; ");
            all
        });
        line(format_args!(
            "location @network {{ {rewrites}{indexes}rewrite ^ /index.php last; }}"
        ));
        // nginx may be unable to see what is there: what is nobody else's is the pool's.
        line(format_args!("location @program {{ {rewrites}{pool} }}"));
    }
    line(format_args!("}}"));
    let hash = hex::encode(&Sha256::digest(&text)[..16]);
    let _infallible = writeln!(
        text,
        "server {{ listen unix:{control}; server_name {domain}; default_type text/plain; return 200 {hash}; }}",
        control = ground.control.display(),
        domain = site.domain,
    );
    Server { text, hash }
}

/// The names that a server block answers to, read from its text.
pub fn names_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '{', '}', ';'])
        .filter_map(|statement| statement.trim().strip_prefix("server_name "))
        .flat_map(str::split_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosting::TlsFiles;

    fn ground() -> Ground<'static> {
        Ground {
            pool: Path::new("/p.sock"),
            http: ([127, 0, 0, 1], 8081).into(),
            https: Some(([127, 0, 0, 1], 8443).into()),
            control: Path::new("/c.sock"),
            access_log: Path::new("/l/a.log"),
            certificate: None,
        }
    }

    #[test]
    fn any_change_of_what_is_served_changes_the_hash() {
        let mut site = WebSite::new("a.example", "/srv/a.example", None);
        let first = render(&site, &ground());
        assert!(first.text.contains("root /srv/a.example/public_html;"));
        assert!(!first.text.contains("ssl"));
        assert!(first.text.contains("client_max_body_size 72m;"));
        site.subdirectories.push("blog".into());
        site.aliases.push("www.a.example".into());
        let second = render(&site, &ground());
        assert_ne!(first.hash, second.hash);
        assert!(second.text.contains("server_name a.example www.a.example;"));
        assert!(
            second
                .text
                .contains("location /blog/ { try_files $uri $uri/ /blog/index.php?$args; }")
        );
        assert_eq!(
            names_of(&second.text).collect::<Vec<_>>(),
            ["a.example", "www.a.example", "a.example"]
        );
        site.tls = Some(TlsFiles {
            certificate: "/c.pem".into(),
            key: "/k.pem".into(),
        });
        let before = Ground {
            certificate: Some("1"),
            ..ground()
        };
        let renewed = Ground {
            certificate: Some("2"),
            ..ground()
        };
        assert_ne!(render(&site, &before).hash, render(&site, &renewed).hash);
    }
}
