# The job: it begins in an empty folder and takes what it needs from the bucket.
resource "google_service_account" "job" {
  account_id   = "job-${var.environment}-${local.short}"
  display_name = "${local.name}, the job"
}

resource "google_storage_bucket_iam_member" "job_reads" {
  bucket = google_storage_bucket.data.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.job.member
}

# It replaces what is live where a model is withdrawn; nothing else but predictions.
resource "google_storage_bucket_iam_member" "job_writes" {
  bucket = google_storage_bucket.data.name
  role   = "roles/storage.objectUser"
  member = google_service_account.job.member
  condition {
    title      = "predictions-and-what-is-live"
    expression = "resource.name.startsWith('projects/_/buckets/${google_storage_bucket.data.name}/objects/predictions/') || resource.name == 'projects/_/buckets/${google_storage_bucket.data.name}/objects/models/live.json'"
  }
}

resource "google_cloud_run_v2_job" "job" {
  name                = local.name
  location            = var.region
  deletion_protection = false
  template {
    template {
      service_account = google_service_account.job.email
      max_retries     = 0 # what fails is told, and looked at
      timeout         = "3600s"
      containers {
        image   = var.image
        command = ["/bin/sh", "-uxc"]
        args = [<<-EOT
          PATH=/app/.venv/bin:$PATH failed=0
          {{ cookiecutter.project_slug }} etl || failed=$?
{% if 'batch' in cookiecutter.__chosen %}
          {{ cookiecutter.project_slug }} score --from "$(date +%F)" --to "$(date --date tomorrow +%F)" || failed=$?
{% endif %}
{% if 'operation' in cookiecutter.__chosen %}
          {{ cookiecutter.project_slug }} monitor || failed=$?
{% endif %}
          exit $failed
        EOT
        ]
        resources {
          limits = { cpu = "1", memory = "4Gi" } # files are held in memory, too
        }
        env { # without it, raw tables come from data.source of project.yaml, such as a database
          name  = "${local.prefix}DATA__SOURCE"
          value = "gs://${google_storage_bucket.data.name}/raw"
        }
        env {
          name  = "${local.prefix}STORAGE__REGISTRY"
          value = "gs://${google_storage_bucket.data.name}/models"
        }
        env {
          name  = "${local.prefix}STORAGE__PREDICTIONS"
          value = "gs://${google_storage_bucket.data.name}/predictions"
        }
{% if 'operation' in cookiecutter.__chosen %}
        dynamic "env" {
          for_each = google_secret_manager_secret_iam_member.job
          content {
            name = "${local.prefix}${env.key}"
            value_source {
              secret_key_ref {
                secret  = google_secret_manager_secret.job[env.key].secret_id
                version = "latest"
              }
            }
          }
        }
{% endif %}
      }
    }
  }
  lifecycle {
    ignore_changes = [client, client_version, template[0].template[0].containers[0].image] # a deploy's
  }
  depends_on = [google_project_service.used]
}

resource "google_monitoring_alert_policy" "job_failed" {
  display_name          = "${local.name}: the job ended with anything but 0"
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.alerts.id]
  conditions {
    display_name = "a run ended with anything but 0"
    condition_threshold {
      filter          = "metric.type=\"run.googleapis.com/job/completed_execution_count\" AND resource.type=\"cloud_run_job\" AND resource.label.job_name=\"${local.name}\" AND metric.label.result=\"failed\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
}
