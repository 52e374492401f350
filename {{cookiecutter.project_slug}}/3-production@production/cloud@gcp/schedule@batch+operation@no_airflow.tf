# Every day, the job.
variable "daily" {
  type        = string
  default     = "0 5 * * *"
  description = "When it runs, in UTC"
}

resource "google_service_account" "schedule" {
  account_id   = "run-${var.environment}-${local.short}"
  display_name = "${local.name}, what starts the daily job"
}

resource "google_cloud_run_v2_job_iam_member" "schedule" {
  name     = google_cloud_run_v2_job.job.name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.schedule.member
}

resource "google_cloud_scheduler_job" "daily" {
  name      = local.name
  region    = var.region
  schedule  = var.daily
  time_zone = "Etc/UTC"
  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.job.id}:run"
    oauth_token {
      service_account_email = google_service_account.schedule.email
    }
  }
  retry_config {
    retry_count = 2 # where Google can't start it; a run that fails is not repeated
  }
}

resource "google_monitoring_alert_policy" "no_run" {
  display_name          = "${local.name}: the daily job has not ended for a day"
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.alerts.id]
  conditions {
    display_name = "no run in 25 hours"
    condition_threshold {
      filter                  = "metric.type=\"run.googleapis.com/job/completed_execution_count\" AND resource.type=\"cloud_run_job\" AND resource.label.job_name=\"${local.name}\""
      comparison              = "COMPARISON_LT"
      threshold_value         = 1
      duration                = "0s"
      evaluation_missing_data = "EVALUATION_MISSING_DATA_ACTIVE"
      aggregations {
        alignment_period     = "90000s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
}
