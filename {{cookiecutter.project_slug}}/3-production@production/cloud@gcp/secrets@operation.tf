# What the job may be given; without a value, none is asked for.
variable "secrets" {
  type        = list(string)
  default     = []
  description = "Which of WEBHOOK_URL, SMTP_URL and FORGETTING_SECRET have been given a value"
}

resource "google_secret_manager_secret" "job" {
  for_each  = toset(["WEBHOOK_URL", "SMTP_URL", "FORGETTING_SECRET"])
  secret_id = "${local.name}-${replace(lower(each.value), "_", "-")}"
  replication {
    auto {}
  }
  depends_on = [google_project_service.used]
}

resource "google_secret_manager_secret_iam_member" "job" {
  for_each  = toset(var.secrets)
  secret_id = google_secret_manager_secret.job[each.value].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.job.member
}
