//! The text of an nginx server block.

use super::WebSite;
use sha2::{Digest, Sha256};
use std::{fmt::Write, net::SocketAddr, path::Path};

/// A server block and the hash under which the control socket announces it.
pub struct Server {
    pub text: String,
    pub hash: String,
}

/// Serves files as the web server's user and hands PHP to the pool. nginx may be
/// unable to look into the home (mode 0700): nothing on the way to a PHP page asks
/// whether its file exists.
pub fn render(site: &WebSite, pool: &Path, addr: SocketAddr, control: &Path) -> Server {
    let mut names = site.domain.clone();
    for alias in &site.aliases {
        let _infallible = write!(names, " {alias}");
    }
    // The document root is the site's own to replace: a link there is checked as well.
    let home = site.home.display();
    let mut root = home.to_string();
    if !site.document_root.is_empty() {
        let _infallible = write!(root, "/{}", site.document_root);
    }
    let mut directories = String::new();
    for directory in &site.subdirectories {
        let _infallible = writeln!(
            directories,
            "location /{directory}/ {{ try_files $uri $uri/ /{directory}/index.php?$args; }}"
        );
    }
    let public = format!(
        "server {{\n\
         listen {addr};\n\
         server_name {names};\n\
         root {root};\n\
         index index.php index.html;\n\
         disable_symlinks if_not_owner from={home};\n\
         {RULES}\
         {directories}\
         location / {{ try_files $uri $uri/ /index.php?$args; }}\n\
         location ~ \\.php$ {{\n\
         {PARAMS}\
         fastcgi_pass unix:{pool};\n\
         }}\n\
         }}\n",
        pool = pool.display(),
    );
    let hash = hex::encode(&Sha256::digest(&public)[..16]);
    let text = format!(
        "{public}server {{ listen unix:{control}; server_name {domain}; default_type text/plain; return 200 {hash}; }}\n",
        control = control.display(),
        domain = site.domain,
    );
    Server { text, hash }
}

/// First match wins, so what is refused stands before what is served. The two
/// rewrites give `wp-admin` its index where nginx cannot see that it is a directory.
const RULES: &str = r"location ~ /\.(?!well-known/) { return 403; }
location ~* /wp-config(\.php|-sample\.php|\.php\..*)$ { return 403; }
location ~* \.(sql|log|bak)(\.gz|\.zip|\.xz|\.zst)?$ { return 403; }
location ~* /(uploads|files)/.*\.(php\d?|phtml|phar)(/|$) { return 403; }
location ~ /wp-admin$ { return 301 $scheme://$http_host$uri/$is_args$args; }
location ~ ^(?<admin>.*/wp-admin)/$ { rewrite ^ $admin/index.php last; }
";

/// `HTTP_HOST` keeps the port: without, WordPress on another port than 80 redirects
/// to itself for ever. `HTTP_PROXY` is a header that PHP programs take for a setting.
const PARAMS: &str = "fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
fastcgi_param SCRIPT_NAME $fastcgi_script_name;
fastcgi_param DOCUMENT_ROOT $document_root;
fastcgi_param DOCUMENT_URI $document_uri;
fastcgi_param REQUEST_URI $request_uri;
fastcgi_param QUERY_STRING $query_string;
fastcgi_param REQUEST_METHOD $request_method;
fastcgi_param CONTENT_TYPE $content_type;
fastcgi_param CONTENT_LENGTH $content_length;
fastcgi_param SERVER_PROTOCOL $server_protocol;
fastcgi_param REQUEST_SCHEME $scheme;
fastcgi_param HTTPS $https if_not_empty;
fastcgi_param GATEWAY_INTERFACE CGI/1.1;
fastcgi_param SERVER_SOFTWARE nginx;
fastcgi_param REMOTE_ADDR $remote_addr;
fastcgi_param REMOTE_PORT $remote_port;
fastcgi_param SERVER_ADDR $server_addr;
fastcgi_param SERVER_PORT $server_port;
fastcgi_param SERVER_NAME $server_name;
fastcgi_param REDIRECT_STATUS 200;
fastcgi_param HTTP_HOST $http_host;
fastcgi_param HTTP_PROXY \"\";
fastcgi_read_timeout 310s;
fastcgi_buffer_size 32k;
fastcgi_buffers 16 16k;
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_change_of_what_is_served_changes_the_hash() {
        let addr = SocketAddr::from(([127, 0, 0, 1], 8081));
        let mut site = WebSite::new("a.example", "/srv/a.example", None);
        let first = render(&site, Path::new("/p.sock"), addr, Path::new("/c.sock"));
        assert!(first.text.contains("root /srv/a.example/public_html;"));
        site.subdirectories.push("blog".into());
        site.aliases.push("www.a.example".into());
        let second = render(&site, Path::new("/p.sock"), addr, Path::new("/c.sock"));
        assert_ne!(first.hash, second.hash);
        assert!(second.text.contains("server_name a.example www.a.example;"));
        assert!(
            second
                .text
                .contains("location /blog/ { try_files $uri $uri/ /blog/index.php?$args; }")
        );
    }
}
