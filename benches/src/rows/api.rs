//! One read over HTTP, held against the least that could answer it: axum and raw
//! sqlx with the same token look-up and the same statements, no limiter, no view.

use crate::{
    machine::{self, Server},
    table::{Row, Table},
};
use anyhow::{Context, Result, ensure};
use axum::{
    Json, Router,
    extract::{Path as At, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use pressroom_base::token;
use serde_json::{Value, json};
use sqlx::{Row as _, SqlitePool, sqlite::SqliteConnectOptions};
use std::{
    path::Path,
    process::{Child, Command},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, task::JoinSet};

/// A key is good for 60 requests a minute: enough of them for a run.
const TOKENS: usize = 400;
const CLIENTS: usize = 8;
const REQUESTS: usize = 6_000;
const PATH: &str = "/api/v1/wordpress/install";

pub fn measure(table: &mut Table) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let data = dir.path();
    machine::cli(data, &["hosting", "up"], "")?;
    let measured = both_sides(data);
    machine::cli(data, &["hosting", "down"], "")?;
    let (ours, control) = measured?;
    table.push(Row {
        what: "API read (a job by its id), requests per second".into(),
        ours: format!("{ours:.0}"),
        other: Some(format!("bare axum and sqlx {control:.0}")),
        ratio: Some(ours / control),
        budget: "≥ 0.5 ×".into(),
        reached: Some(ours / control >= 0.5),
    });
    Ok(())
}

fn both_sides(data: &Path) -> Result<(f64, f64)> {
    machine::account(data)?;
    let domain = ["domain", "add", "site.example", "--account", "Bench"];
    machine::cli(data, &domain, "")?;
    let first = machine::panel_key(data)?;
    let (server, _) = Server::start(data)?;
    let rates = rates(data, &server, &first);
    // While its worker runs: a site has a Unix user, which no directory takes along.
    machine::cli(data, &["site", "remove", "site.example", "--yes"], "")?;
    rates
}

/// Both sides' requests per second.
fn rates(data: &Path, server: &Server, first: &str) -> Result<(f64, f64)> {
    let runtime = Runtime::new()?;
    let job = runtime.block_on(a_job(&server.url, first))?;
    let tokens = runtime.block_on(more_tokens(data, first))?;
    let control = Control::start(data)?;
    let ours_at = format!("{}{PATH}/{job}/progress", server.url);
    let control_at = format!("{}{PATH}/{job}/progress", control.url);
    // Alternately, so that both meet the same machine.
    let (mut ours, mut other) = (Vec::new(), Vec::new());
    for round in 0..3 {
        let tokens = tokens[round * TOKENS / 3..(round + 1) * TOKENS / 3].to_vec();
        ours.push(runtime.block_on(rate(&ours_at, &tokens))?);
        other.push(runtime.block_on(rate(&control_at, &tokens))?);
    }
    ours.sort_by(f64::total_cmp);
    other.sort_by(f64::total_cmp);
    Ok((ours[1], other[1]))
}

/// The job of an installation, ended.
async fn a_job(url: &str, token: &str) -> Result<String> {
    let client = reqwest::Client::new();
    let body = json!({"domain": "site.example", "path": "public_html", "db_name": "bench"});
    let answer: Value = client
        .post(format!("{url}{PATH}"))
        .bearer_auth(token)
        .json(&body)
        .send()
        .await?
        .json()
        .await?;
    let job = answer["job_id"]
        .as_str()
        .with_context(|| answer.to_string())?;
    let begun = Instant::now();
    loop {
        let state: Value = client
            .get(format!("{url}{PATH}/{job}/progress"))
            .bearer_auth(token)
            .send()
            .await?
            .json()
            .await?;
        if matches!(state["status"].as_str(), Some("completed" | "failed")) {
            return Ok(job.to_owned());
        }
        ensure!(begun.elapsed() < Duration::from_mins(2), "{state}");
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Copies of the first token's row, each with a secret of its own.
async fn more_tokens(data: &Path, first: &str) -> Result<Vec<String>> {
    let pool = pool(data).await?;
    let mut secrets = Vec::with_capacity(TOKENS);
    for _ in 0..TOKENS {
        // As the server makes them: another shape is refused before it is looked up.
        let secret = format!("wsp_{}", token::hex(48));
        sqlx::query(
            "INSERT INTO tokens (kind, user_id, account_id, environment_id, name, prefix, digest, scopes, cidrs, expires_at, enabled, last_used_at, created_at)
             SELECT kind, user_id, account_id, environment_id, name, prefix, ?, scopes, cidrs, expires_at, enabled, last_used_at, created_at FROM tokens WHERE digest = ?",
        )
        .bind(token::digest(&secret))
        .bind(token::digest(first))
        .execute(&pool)
        .await?;
        secrets.push(secret);
    }
    Ok(secrets)
}

/// Requests per second of clients that keep their connections.
async fn rate(url: &str, tokens: &[String]) -> Result<f64> {
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (next, url, tokens) = (Arc::clone(&next), url.to_owned(), tokens.to_vec());
        clients.spawn(async move {
            let client = reqwest::Client::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= REQUESTS {
                    return Ok::<_, anyhow::Error>(());
                }
                let token = &tokens[number % tokens.len()];
                let answer = client.get(&url).bearer_auth(token).send().await?;
                let status = answer.status();
                let body = answer.bytes().await?;
                ensure!(status == StatusCode::OK, "{status}: {body:?}");
            }
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended??;
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand requests")]
    Ok(REQUESTS as f64 / begun.elapsed().as_secs_f64())
}

/// The control server, a process of its own.
struct Control {
    child: Child,
    url: String,
}

impl Control {
    fn start(data: &Path) -> Result<Self> {
        let port = machine::free_port()?;
        let address = format!("127.0.0.1:{port}");
        let child = Command::new(std::env::current_exe()?)
            .args(["control-server", &data.display().to_string(), &address])
            .spawn()?;
        let control = Self {
            child,
            url: format!("http://{address}"),
        };
        let begun = Instant::now();
        while std::net::TcpStream::connect(&address).is_err() {
            ensure!(
                begun.elapsed() < Duration::from_secs(20),
                "no control server"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(control)
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn pool(data: &Path) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::new()
        .filename(data.join("pressroom.db"))
        .busy_timeout(Duration::from_secs(10));
    Ok(sqlx::sqlite::SqlitePoolOptions::new()
        .max_connections(8)
        .connect_with(options)
        .await?)
}

/// Serves the control side until it is killed.
pub fn control(data: &str, address: &str) -> Result<()> {
    Runtime::new()?.block_on(async {
        let app = Router::new()
            .route(&format!("{PATH}/{{job}}/progress"), get(progress))
            .with_state(pool(Path::new(data)).await?);
        let listener = tokio::net::TcpListener::bind(address).await?;
        Ok(axum::serve(listener, app).await?)
    })
}

async fn progress(
    State(pool): State<SqlitePool>,
    At(job): At<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, StatusCode> {
    let secret = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or(StatusCode::UNAUTHORIZED)?;
    read(&pool, &job, secret)
        .await
        .map(Json)
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// The statements of the real read, in its order.
async fn read(pool: &SqlitePool, job: &str, secret: &str) -> sqlx::Result<Value> {
    let token = sqlx::query("SELECT * FROM tokens WHERE digest = ? LIMIT 1")
        .bind(token::digest(secret))
        .fetch_one(pool)
        .await?;
    let user: i64 = token.get("user_id");
    sqlx::query("SELECT * FROM users WHERE id = ? LIMIT 1")
        .bind(user)
        .fetch_one(pool)
        .await?;
    sqlx::query("SELECT * FROM memberships WHERE user_id = ? ORDER BY id")
        .bind(user)
        .fetch_all(pool)
        .await?;
    let found = sqlx::query("SELECT * FROM jobs WHERE public_id = ? LIMIT 1")
        .bind(job)
        .fetch_one(pool)
        .await?;
    let id: i64 = found.get("id");
    let steps = sqlx::query("SELECT * FROM job_steps WHERE job_id = ? ORDER BY position")
        .bind(id)
        .fetch_all(pool)
        .await?;
    let environment: Option<i64> = found.get("environment_id");
    let environment = sqlx::query("SELECT * FROM environments WHERE id = ? LIMIT 1")
        .bind(environment)
        .fetch_optional(pool)
        .await?;
    let mut installation = Value::Null;
    if let Some(row) = environment {
        let (account, site, domain): (i64, i64, Option<i64>) = (
            row.get("account_id"),
            row.get("site_id"),
            row.get("domain_id"),
        );
        for (statement, key) in [
            ("SELECT * FROM accounts WHERE id = ? LIMIT 1", Some(account)),
            ("SELECT * FROM domains WHERE id = ? LIMIT 1", domain),
            ("SELECT * FROM sites WHERE id = ? LIMIT 1", Some(site)),
        ] {
            sqlx::query(statement)
                .bind(key)
                .fetch_optional(pool)
                .await?;
        }
        sqlx::query("SELECT * FROM components WHERE environment_id = ? ORDER BY kind, slug")
            .bind(row.get::<i64, _>("id"))
            .fetch_all(pool)
            .await?;
        installation = json!({
            "id": row.get::<String, _>("panel_id"),
            "path": row.get::<String, _>("root"),
            "version": row.get::<String, _>("core_version"),
            "site_url": row.get::<String, _>("url"),
        });
    }
    let steps: Vec<Value> = steps
        .iter()
        .map(|step| json!({"name": step.get::<String, _>("name"), "status": step.get::<String, _>("state")}))
        .collect();
    Ok(json!({
        "id": job,
        "type": found.get::<String, _>("kind"),
        "status": found.get::<String, _>("state"),
        "steps": steps,
        "result": {"installation": installation},
    }))
}
