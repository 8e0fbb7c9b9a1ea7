//! The door to this machine's hosting.

use super::{
    Error, HostingConfig, Result,
    layout::{self, Layout},
    lock, web,
};
use pressroom_base::token;
use std::{path::PathBuf, sync::Arc};

/// This machine as a hosting provider. Cheap to clone.
///
/// Its operations are in the files of this directory by noun: the stack, Unix
/// users, homes, databases, web. All are safe to repeat; creating what exists is an
/// error of its own, removing what is absent answers false.
#[derive(Debug, Clone)]
pub struct LocalHosting(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: HostingConfig,
    layout: Layout,
    turn: tokio::sync::Mutex<()>,
    queue: web::Queue,
}

/// Held while the stack is changed.
pub(super) struct Turn<'a> {
    _task: tokio::sync::MutexGuard<'a, ()>,
    _process: lock::Held,
}

impl LocalHosting {
    /// Describes a machine; nothing is made or started before `up`.
    pub fn new(config: HostingConfig) -> Self {
        let layout = Layout::new(&config);
        Self(Arc::new(Inner {
            config,
            layout,
            turn: tokio::sync::Mutex::new(()),
            queue: web::Queue::default(),
        }))
    }

    /// The configuration in use.
    pub fn config(&self) -> &HostingConfig {
        &self.0.config
    }

    /// The `php` that runs the bridge.
    pub fn php_cli(&self) -> Result<PathBuf> {
        self.config().programs.find_php()
    }

    /// `DB_HOST` for a site's `wp-config.php`: `localhost:` and the socket's path.
    pub fn db_host(&self) -> Result<String> {
        Ok(format!(
            "localhost:{}",
            self.layout().mariadb_socket()?.display()
        ))
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.0.layout
    }

    pub(super) fn queue(&self) -> &web::Queue {
        &self.0.queue
    }

    /// Waits until nobody else changes the stack.
    pub(super) async fn turn(&self) -> Result<Turn<'_>> {
        let task = self.0.turn.lock().await;
        let process = lock::hold(&self.layout().lock()).await?;
        Ok(Turn {
            _task: task,
            _process: process,
        })
    }

    /// The comment that marks our Unix users. It carries a random number kept in the
    /// stack's directory, so that two Pressrooms on one machine leave each other's
    /// users alone.
    pub(super) fn user_comment(&self) -> Result<String> {
        if let Some(comment) = self.existing_user_comment()? {
            return Ok(comment);
        }
        let path = self.layout().dir.join("instance");
        layout::write_atomically(&path, token::hex(16).as_bytes(), 0o600)?;
        self.existing_user_comment()?.ok_or(Error::NotOurs {
            what: "file",
            name: path.display().to_string(),
        })
    }

    pub(super) fn existing_user_comment(&self) -> Result<Option<String>> {
        let id = layout::read_if_there(&self.layout().dir.join("instance"))?;
        Ok(id.map(|id| format!("Pressroom site {}", String::from_utf8_lossy(&id).trim())))
    }
}
