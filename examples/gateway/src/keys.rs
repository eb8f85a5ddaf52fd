//! Who may ask, from the Worker's variables.

use std::sync::Arc;

use edge_ai::gateway::{
    Admin, AdminTokens, ApiKeys, ClaimMapping, Jwt, JwtAlgorithm, MasterKeys, VendorKeys, VirtualKeys,
};
use edge_ai::runtime::{D1, EnvExt, FetchClient, WebCrypto};
use edge_ai::{EdgeAiBuilder, Error, ErrorKind, Result};
use worker::Env;

/// Every way in whose variables are there; with none, everybody is let in.
pub(crate) fn with_keys(mut edge: EdgeAiBuilder, env: &Env) -> Result<EdgeAiBuilder> {
    let access = cloudflare_access(env)?;
    if let Some(access) = &access {
        edge = edge.access(access.clone());
    }
    if let Some(jwt) = jwt(env)? {
        edge = edge.access(jwt);
    }
    if is_there(env, "ADMIN_TOKEN") {
        let keys = VirtualKeys::new(D1::from_env(env, "DB")?);
        let tokens = AdminTokens::parse(&env.required_secret("ADMIN_TOKEN")?)?;
        let mut admin = Admin::new(keys.clone(), D1::from_env(env, "DB")?).tokens(tokens);
        if let (Some(access), Some(role)) = (access, env.text("ACCESS_ADMIN_ROLE")) {
            admin = admin.role(access, role);
        }
        if is_there(env, "MASTER_KEY") {
            let masters = MasterKeys::parse(&env.required_secret("MASTER_KEY")?)?;
            let vendor_keys = VendorKeys::in_worker(D1::from_env(env, "DB")?, masters);
            admin = admin.vendor_keys(vendor_keys.clone());
            edge = edge.vendor_keys(vendor_keys);
        }
        edge = edge.access(keys).admin(admin);
    }
    // The last of them: an old key may have any form.
    if is_there(env, "GATEWAY_KEYS") {
        edge = edge.access(ApiKeys::parse(&env.text("GATEWAY_KEYS").unwrap_or_default())?);
    }
    Ok(edge)
}

/// Whether a variable is set, if only to nothing: that is a slip, and must not open the door.
fn is_there(env: &Env, name: &str) -> bool {
    env.var(name).is_ok()
}

fn cloudflare_access(env: &Env) -> Result<Option<Jwt>> {
    if !is_there(env, "ACCESS_TEAM_DOMAIN") {
        return Ok(None);
    }
    let (team, audience) = (
        env.required_text("ACCESS_TEAM_DOMAIN")?,
        env.required_text("ACCESS_AUDIENCE")?,
    );
    Jwt::cloudflare_access(&team, audience, Arc::new(FetchClient), WebCrypto).map(Some)
}

fn jwt(env: &Env) -> Result<Option<Jwt>> {
    if !is_there(env, "JWT_ISSUER") {
        return Ok(None);
    }
    let (issuer, audience) = (
        env.required_text("JWT_ISSUER")?,
        env.required_text("JWT_AUDIENCE")?,
    );
    let mut jwt = match (env.text("JWT_JWKS_URL"), env.text("JWT_KEYS")) {
        (Some(url), None) => Jwt::jwks(issuer, audience, url, Arc::new(FetchClient), WebCrypto)?,
        (None, Some(keys)) => Jwt::static_keys(issuer, audience, &keys, WebCrypto)?,
        _ => {
            let message = "set `JWT_JWKS_URL`, the address of the issuer's keys, or the secret `JWT_KEYS`, a JWK set; not both";
            return Err(Error::new(ErrorKind::Configuration, message));
        }
    };
    if let Some(names) = env.text("JWT_ALGORITHMS") {
        let algorithms = names.split(',').map(|name| JwtAlgorithm::parse(name.trim()));
        jwt = jwt.algorithms(algorithms.collect::<Result<Vec<_>>>()?);
    }
    let mut mapping = ClaimMapping::default();
    if let Some(claim) = env.text("JWT_TENANT_CLAIM") {
        mapping = mapping.tenant(claim);
    }
    if let Some(claim) = env.text("JWT_MODELS_CLAIM") {
        mapping = mapping.models(claim);
    }
    Ok(Some(jwt.mapping(mapping)))
}
