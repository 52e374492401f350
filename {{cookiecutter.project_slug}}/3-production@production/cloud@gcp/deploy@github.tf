# Who deploys: a job of this repository's main branch in this environment, for an hour, without a key that could be lost.
variable "repository" {
  type        = string
  description = "The repository on GitHub that may deploy, as owner/name"
}

resource "google_iam_workload_identity_pool" "ci" {
  workload_identity_pool_id = "${var.environment}-${local.short}"
  display_name              = "${var.environment}-${local.short}"
  depends_on                = [google_project_service.used]
}

resource "google_iam_workload_identity_pool_provider" "ci" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.ci.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.repository" = "assertion.repository"
  }
  attribute_condition = "assertion.repository == '${var.repository}' && assertion.environment == '${var.environment}' && assertion.ref == 'refs/heads/main'"
  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account" "deploy" {
  account_id   = "deploy-${var.environment}-${local.short}"
  display_name = "${local.name}, who deploys"
}

resource "google_service_account_iam_member" "deploy_from_ci" {
  service_account_id = google_service_account.deploy.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.ci.name}/attribute.repository/${var.repository}"
}

# Staging puts images in; live takes what is there.
resource "google_artifact_registry_repository_iam_member" "deploy" {
  repository = local.images
  location   = var.region
  role       = local.staging ? "roles/artifactregistry.writer" : "roles/artifactregistry.reader"
  member     = google_service_account.deploy.member
  depends_on = [google_artifact_registry_repository.images]
}

output "provider" {
  value = google_iam_workload_identity_pool_provider.ci.name
}

output "deployer" {
  value = google_service_account.deploy.email
}
