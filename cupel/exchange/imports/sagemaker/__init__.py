"""SageMaker Ground Truth's files: manifests, and the answers that they were consolidated of."""
