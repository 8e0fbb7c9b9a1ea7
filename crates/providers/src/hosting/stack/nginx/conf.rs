//! The text of `nginx.conf`: what all server blocks share.

use crate::hosting::{
    HostingConfig, Isolation, Result,
    daemon::open_files,
    layout::Layout,
    unix_user::web_account,
    web::rules::{COMPRESSED, TYPES, kept_endings},
};
use sha2::{Digest, Sha256};
use std::{fmt::Write, net::SocketAddr};

/// The name that the control socket answers the hash of this file to.
pub const MAIN: &str = "pressroom-main";

/// Where nginx listens.
#[derive(Debug, Clone, Copy)]
pub struct Listen {
    pub http: SocketAddr,
    pub https: Option<SocketAddr>,
}

/// The text, and the hash in it.
pub fn render(config: &HostingConfig, layout: &Layout, listen: Listen) -> Result<(String, String)> {
    let user = match config.isolation {
        Isolation::UnixUsers => format!("user {};\n", web_account()?.name),
        Isolation::None => String::new(),
    };
    let log = layout.nginx_log();
    let log = log.display();
    let tmp = layout.nginx().join("tmp");
    let tmp = tmp.display();
    let control = layout.control_socket()?;
    let control = control.display();
    let mut text = format!(
        "{user}worker_processes auto;\n\
         worker_rlimit_nofile {files};\n\
         pid {pid};\n\
         error_log {log} error;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n\
         types {{\n{types}}}\n\
         default_type application/octet-stream;\n\
         log_format pressroom '$remote_addr [$time_iso8601] $host \"$request_method $pressroom_path $server_protocol\" $status $body_bytes_sent $request_time';\n\
         access_log off;\n\
         server_tokens off;\n\
         absolute_redirect off;\n\
         sendfile on;\n\
         tcp_nopush on;\n\
         keepalive_timeout 30s;\n\
         client_header_timeout 15s;\n\
         client_body_timeout 60s;\n\
         send_timeout 60s;\n\
         reset_timedout_connection on;\n\
         gzip on;\n\
         gzip_vary on;\n\
         gzip_proxied any;\n\
         gzip_comp_level 5;\n\
         gzip_min_length 1024;\n\
         gzip_types {COMPRESSED};\n\
         server_names_hash_bucket_size 256;\n\
         server_names_hash_max_size 65536;\n\
         variables_hash_max_size 4096;\n\
         client_body_temp_path {tmp}/body;\n\
         proxy_temp_path {tmp}/proxy;\n\
         fastcgi_temp_path {tmp}/fastcgi;\n\
         uwsgi_temp_path {tmp}/uwsgi;\n\
         scgi_temp_path {tmp}/scgi;\n",
        files = open_files(),
        pid = layout.nginx_pid().display(),
        types = types(),
    );
    text.push_str(&maps(config));
    text.push_str(PARAMS);
    let _infallible = writeln!(
        text,
        "server {{ listen {} default_server; server_name _; return 404; }}",
        listen.http
    );
    if let Some(https) = listen.https {
        let _infallible = writeln!(
            text,
            "server {{ listen {https} ssl http2 default_server; server_name _; ssl_reject_handshake on; }}\n\
             ssl_protocols TLSv1.2 TLSv1.3;\n\
             ssl_prefer_server_ciphers off;\n\
             ssl_session_cache shared:pressroom:10m;\n\
             ssl_session_timeout 1d;\n\
             ssl_session_tickets off;"
        );
    }
    let hash = hex::encode(&Sha256::digest(&text)[..16]);
    let _infallible = writeln!(
        text,
        "server {{ listen unix:{control} default_server; default_type text/plain; return 200 {absent}; }}\n\
         server {{ listen unix:{control}; server_name {MAIN}; default_type text/plain; return 200 {hash}; }}\n\
         include {sites}/*.conf;\n\
         }}",
        absent = super::ABSENT,
        sites = layout.sites().display(),
    );
    Ok((text, hash))
}

fn types() -> String {
    // nginx wants each media type once.
    let mut merged: Vec<(&str, Vec<&str>)> = Vec::new();
    for (endings, kind, _) in TYPES {
        match merged.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, all)) => all.push(endings),
            None => merged.push((kind, vec![endings])),
        }
    }
    merged.iter().fold(String::new(), |mut text, (kind, all)| {
        let _infallible = writeln!(text, "{kind} {};", all.join(" "));
        text
    })
}

/// Who is asking, over what, and how often they may.
fn maps(config: &HostingConfig) -> String {
    let mut text = String::new();
    let mut near = String::from("127.0.0.0/8 1; ::1/128 1;");
    for network in &config.trusted_proxies {
        let _infallible = writeln!(text, "set_real_ip_from {network};");
        let _infallible = write!(near, " {network} 1;");
    }
    if !config.trusted_proxies.is_empty() {
        text.push_str("real_ip_header X-Forwarded-For;\nreal_ip_recursive on;\n");
    }
    let _infallible = write!(
        text,
        "geo $realip_remote_addr $pressroom_near {{ default 0; {near} }}\n\
         map \"$pressroom_near:$http_x_forwarded_proto\" $pressroom_https {{ default $https; \"1:https\" on; }}\n\
         map $pressroom_https $pressroom_scheme {{ default http; on https; }}\n\
         map \"$pressroom_https:$uri\" $pressroom_plain {{ default 1; \"~^on:\" \"\"; \"~^:/\\.well-known/acme-challenge/\" \"\"; }}\n\
         map $http_host $pressroom_port {{ default \"\"; \"~(?<port>:[0-9]+)$\" $port; }}\n\
         map $request_uri $pressroom_path {{ default -; \"~^(?<path>[^?]*)\" $path; }}\n\
         map $uri $pressroom_expires {{ default off; \"~*\\.(?:{kept})$\" 7d; }}\n\
         expires $pressroom_expires;\n\
         add_header X-Content-Type-Options nosniff always;\n\
         map $request_method $pressroom_guess {{ default \"\"; POST \"$binary_remote_addr$server_name\"; }}\n\
         limit_req_zone $pressroom_guess zone=pressroom_login:10m rate=30r/m;\n\
         limit_req_zone $pressroom_guess zone=pressroom_xmlrpc:10m rate=60r/m;\n\
         limit_req_status 429;\n\
         limit_req_log_level warn;\n",
        kept = kept_endings(),
    );
    text
}

/// `HTTP_HOST` is the name that chose the server block, with the port that was typed:
/// without, WordPress on another port than 80 redirects to itself for ever.
/// `HTTP_PROXY` is a header that PHP programs take for a setting.
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
fastcgi_param REQUEST_SCHEME $pressroom_scheme;
fastcgi_param HTTPS $pressroom_https if_not_empty;
fastcgi_param GATEWAY_INTERFACE CGI/1.1;
fastcgi_param SERVER_SOFTWARE nginx;
fastcgi_param REMOTE_ADDR $remote_addr;
fastcgi_param REMOTE_PORT $remote_port;
fastcgi_param SERVER_ADDR $server_addr;
fastcgi_param SERVER_PORT $server_port;
fastcgi_param SERVER_NAME $server_name;
fastcgi_param REDIRECT_STATUS 200;
fastcgi_param HTTP_HOST $host$pressroom_port;
fastcgi_param HTTP_PROXY \"\";
fastcgi_connect_timeout 10s;
fastcgi_send_timeout 60s;
fastcgi_buffer_size 32k;
fastcgi_buffers 16 16k;
";
