use async_trait::async_trait;
use edge_ai_core::{Error, RerankRequest, RerankResponse, Reranker, Result};

use super::{RerankApi, decode_rerank_answer, encode_rerank_request};
use crate::client::VendorClient;

/// A vendor's rerankers.
#[derive(Debug)]
pub(crate) struct RerankModel {
    client: VendorClient,
    api: RerankApi,
}

impl RerankModel {
    /// `client` is of the address that [`RerankApi::path`] is under.
    pub(crate) const fn new(client: VendorClient, api: RerankApi) -> Self {
        Self { client, api }
    }

    fn own(&self, error: Error) -> Error {
        error.with_provider(self.client.provider())
    }
}

#[async_trait]
impl Reranker for RerankModel {
    async fn rerank(&self, request: RerankRequest) -> Result<RerankResponse> {
        let body = encode_rerank_request(&request, &self.api).map_err(|error| self.own(error))?;
        let client = self.client.for_request(&request.context);
        let answer = client.post(self.api.path, body).await?;
        decode_rerank_answer(&answer, request.documents.len(), request.top_n).map_err(|error| self.own(error))
    }
}
