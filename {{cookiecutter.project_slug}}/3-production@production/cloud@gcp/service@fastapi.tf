# The service: Cloud Run ends TLS, and asks each instance for /ready before it is given requests.
variable "callers" {
  type        = list(string)
  description = "Who may ask, as [\"group:desk@example.com\"]; [\"allUsers\"] where the key alone decides"
}

variable "instances" {
  type        = number
  default     = 1
  description = "How many are kept running, of ten at most; 0 where the first request may wait for seconds"
}

resource "google_service_account" "service" {
  account_id   = "svc-${var.environment}-${local.short}"
  display_name = "${local.name}, the service"
}

resource "google_secret_manager_secret" "api_key" {
  secret_id = "${local.name}-api-key"
  replication {
    auto {}
  }
  depends_on = [google_project_service.used]
}

# It is made here once, and kept nowhere else: not in the state either.
ephemeral "random_password" "api_key" {
  length  = 40
  special = false
}

resource "google_secret_manager_secret_version" "api_key" {
  secret                 = google_secret_manager_secret.api_key.id
  secret_data_wo         = ephemeral.random_password.api_key.result
  secret_data_wo_version = "1" # another one makes another key
}

resource "google_secret_manager_secret_iam_member" "api_key" {
  secret_id = google_secret_manager_secret.api_key.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.service.member
}

resource "google_storage_bucket_iam_member" "service_reads" {
  bucket = google_storage_bucket.data.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.service.member
}

resource "google_storage_bucket_iam_member" "service_logs" {
  bucket = google_storage_bucket.data.name
  role   = "roles/storage.objectCreator"
  member = google_service_account.service.member
  condition {
    title      = "predictions"
    expression = "resource.name.startsWith('projects/_/buckets/${google_storage_bucket.data.name}/objects/predictions/')"
  }
}

# It can be reached from anywhere; who is not among the callers is turned away before it.
resource "google_cloud_run_v2_service" "service" {
  name                = local.name
  location            = var.region
  ingress             = "INGRESS_TRAFFIC_ALL"
  deletion_protection = false
  template {
    service_account                  = google_service_account.service.email
    max_instance_request_concurrency = 40
    timeout                          = "30s"
    scaling {
      min_instance_count = var.instances
      max_instance_count = 10
    }
    containers {
      image = var.image
      ports {
        container_port = 8000
      }
      resources {
        limits            = { cpu = "1", memory = "1Gi" }
        cpu_idle          = false # what was predicted is sent on between requests
        startup_cpu_boost = true
      }
      env {
        name  = "${local.prefix}STORAGE__REGISTRY"
        value = "gs://${google_storage_bucket.data.name}/models"
      }
      env {
        name  = "${local.prefix}STORAGE__PREDICTIONS"
        value = "gs://${google_storage_bucket.data.name}/predictions"
      }
      env {
        name = "${local.prefix}API_KEY"
        value_source {
          secret_key_ref {
            secret  = google_secret_manager_secret.api_key.secret_id
            version = "latest"
          }
        }
      }
      startup_probe {
        period_seconds    = 5
        timeout_seconds   = 3
        failure_threshold = 24
        http_get {
          path = "/ready"
        }
      }
      liveness_probe {
        period_seconds    = 10
        timeout_seconds   = 3
        failure_threshold = 3
        http_get {
          path = "/health"
        }
      }
    }
  }
  lifecycle {
    ignore_changes = [client, client_version, template[0].containers[0].image, template[0].revision] # a deploy's
  }
  depends_on = [google_secret_manager_secret_iam_member.api_key, google_secret_manager_secret_version.api_key]
}

resource "google_cloud_run_v2_service_iam_member" "callers" {
  for_each = toset(var.callers)
  name     = google_cloud_run_v2_service.service.name
  location = var.region
  role     = "roles/run.invoker"
  member   = each.value
}

data "google_project" "this" {}

resource "google_cloud_run_v2_service_iam_member" "uptime" {
  name     = google_cloud_run_v2_service.service.name
  location = var.region
  role     = "roles/run.invoker"
  member   = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-monitoring-notification.iam.gserviceaccount.com"
}

# Not ready: Google asks for /ready every minute, in the service's own name.
resource "google_monitoring_uptime_check_config" "ready" {
  display_name = "${local.name} is ready"
  period       = "60s"
  timeout      = "10s"
  http_check {
    path         = "/ready"
    port         = 443
    use_ssl      = true
    validate_ssl = true
    service_agent_authentication {
      type = "OIDC_TOKEN"
    }
  }
  monitored_resource {
    type = "cloud_run_revision"
    labels = {
      project_id         = var.project
      location           = var.region
      service_name       = google_cloud_run_v2_service.service.name
      revision_name      = ""
      configuration_name = ""
    }
  }
}

resource "google_monitoring_alert_policy" "not_ready" {
  display_name          = "${local.name}: the service is not ready"
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.alerts.id]
  conditions {
    display_name = "two minutes without a yes from /ready"
    condition_threshold {
      filter          = "metric.type=\"monitoring.googleapis.com/uptime_check/check_passed\" AND metric.label.check_id=\"${google_monitoring_uptime_check_config.ready.uptime_check_id}\" AND resource.type=\"cloud_run_revision\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "120s"
      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
      }
    }
  }
}

# More than one answer in a hundred: live.maximum_error_share of project.yaml.
resource "google_monitoring_alert_policy" "fails" {
  display_name          = "${local.name}: more than one answer in a hundred fails"
  combiner              = "AND"
  notification_channels = [google_monitoring_notification_channel.alerts.id]
  conditions {
    display_name = "share of answers 5xx in a quarter of an hour"
    condition_threshold {
      filter             = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.label.service_name=\"${local.name}\" AND metric.label.response_code_class=\"5xx\""
      denominator_filter = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.label.service_name=\"${local.name}\""
      comparison         = "COMPARISON_GT"
      threshold_value    = 0.01
      duration           = "0s"
      aggregations {
        alignment_period     = "900s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
      denominator_aggregations {
        alignment_period     = "900s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
  conditions {
    display_name = "more than five of them"
    condition_threshold {
      filter          = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.label.service_name=\"${local.name}\" AND metric.label.response_code_class=\"5xx\""
      comparison      = "COMPARISON_GT"
      threshold_value = 5
      duration        = "0s"
      aggregations {
        alignment_period     = "900s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
}

# In milliseconds: live.maximum_seconds of project.yaml.
resource "google_monitoring_alert_policy" "slow" {
  display_name          = "${local.name}: one answer in a hundred takes longer than 0.3 seconds"
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.alerts.id]
  conditions {
    display_name = "99th percentile over a quarter of an hour"
    condition_threshold {
      filter          = "metric.type=\"run.googleapis.com/request_latencies\" AND resource.type=\"cloud_run_revision\" AND resource.label.service_name=\"${local.name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 300
      duration        = "900s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_PERCENTILE_99"
      }
    }
  }
}

output "address" {
  value = google_cloud_run_v2_service.service.uri
}
