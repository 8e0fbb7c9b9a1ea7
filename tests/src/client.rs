//! A client of the WPOrchestrix API, as the owner of the account.

use crate::fixture::EMAIL;
use anyhow::Result;
use pressroom_testkit::{
    api::{Api, Reply},
    server::Pressroom,
};
use reqwest::Method;
use serde_json::Value;

/// A client with a token that somebody made in the settings.
pub struct Client {
    api: Api,
    /// The server's address, without a trailing slash.
    pub base: String,
    /// What its requests say in `Authorization`.
    pub auth: String,
}

impl Client {
    /// One of a server whose owner is there.
    pub async fn of(server: &Pressroom) -> Result<Self> {
        let words = ["token", "add", "--user", EMAIL, "--kind", "api"];
        let token = server.cli(&words, "").await?.line()?;
        Ok(Self {
            api: server.api(None)?,
            base: server.url(),
            auth: format!("token {token}"),
        })
    }

    /// Asks below `/api/v1`.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Reply> {
        let headers = [("authorization", self.auth.as_str())];
        let body = body.map(ToString::to_string);
        let path = format!("/api/v1{path}");
        self.api.send(method, &path, &headers, body).await
    }

    /// The body of a 200.
    pub async fn get(&self, path: &str) -> Result<Value> {
        Ok(self.send(Method::GET, path, None).await?.expect(200)?.body)
    }

    /// The body of what was made.
    pub async fn make(&self, path: &str, body: &Value) -> Result<Value> {
        let reply = self.send(Method::POST, path, Some(body)).await?;
        Ok(reply.expect(201)?.body)
    }
}
