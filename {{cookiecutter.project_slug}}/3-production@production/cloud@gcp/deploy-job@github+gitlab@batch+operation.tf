# It may bring an image to the job, and run it in the job's name; nothing else of either.
resource "google_cloud_run_v2_job_iam_member" "deploy" {
  name     = google_cloud_run_v2_job.job.name
  location = var.region
  role     = "roles/run.developer"
  member   = google_service_account.deploy.member
}

resource "google_service_account_iam_member" "deploy_job" {
  service_account_id = google_service_account.job.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.deploy.member
}
