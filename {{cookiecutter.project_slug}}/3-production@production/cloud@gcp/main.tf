# What {{ cookiecutter.project_slug }} needs on Google Cloud, once for staging and once for live: README.md says in which order.
# A person changes it; a deploy, by deploy.sh, changes nothing but the image.
terraform {
  required_version = ">= 1.11"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.7"
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.7"
    }
  }
  backend "gcs" {} # which bucket, and what part of it, is said to `terraform init`
}

variable "environment" {
  type = string
  validation {
    condition     = contains(["staging", "live"], var.environment)
    error_message = "The environment is staging or live."
  }
}

variable "project" {
  type        = string
  description = "The Google Cloud project, one for both"
}

variable "region" {
  type = string
}

variable "alerts_to" {
  type        = string
  description = "The mail address of those who are told of an alert"
}

variable "image" {
  type        = string
  default     = "us-docker.pkg.dev/cloudrun/container/hello"
  description = "What runs until the first deploy; from then on, deploys say it"
}

provider "google" {
  project = var.project
  region  = var.region
}

locals {
  name    = "{{ cookiecutter.project_slug }}-${var.environment}"
  short   = trimsuffix(substr("{{ cookiecutter.project_slug }}", 0, 15), "-") # where a name may not be long
  prefix  = "{{ cookiecutter.__package | upper }}_"
  staging = var.environment == "staging"
  images  = "projects/${var.project}/locations/${var.region}/repositories/{{ cookiecutter.project_slug }}"
}

resource "google_project_service" "used" {
  for_each = toset([
    "artifactregistry.googleapis.com",
    "cloudscheduler.googleapis.com",
    "iamcredentials.googleapis.com",
    "monitoring.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "sts.googleapis.com",
  ])
  service            = each.value
  disable_on_destroy = false
}

# Data: raw/ comes in, models/ is the registry, predictions/ what was predicted. Google encrypts it, and answers by TLS.
resource "google_storage_bucket" "data" {
  name                        = "${var.project}-${local.short}-${var.environment}"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  versioning {
    enabled = true
  }
  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 30
    }
    action {
      type = "Delete"
    }
  }
  lifecycle_rule {
    condition {
      age = 7
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }
  lifecycle {
    prevent_destroy = true # it outlives the rest
  }
}

# Images: staging has the registry, live takes from it what staging has tried.
resource "google_artifact_registry_repository" "images" {
  count         = local.staging ? 1 : 0
  repository_id = "{{ cookiecutter.project_slug }}"
  location      = var.region
  format        = "DOCKER"
  docker_config {
    immutable_tags = true
  }
  vulnerability_scanning_config {
    enablement_config = "INHERITED" # scanned where the project has switched that on, which is billed by image
  }
  cleanup_policies {
    id     = "the-last-hundred"
    action = "KEEP"
    most_recent_versions {
      keep_count = 100
    }
  }
  cleanup_policies {
    id     = "older"
    action = "DELETE"
    condition {
      older_than = "7776000s"
    }
  }
  depends_on = [google_project_service.used]
}

# Alerts: one channel, whoever has something to say.
resource "google_monitoring_notification_channel" "alerts" {
  display_name = local.name
  type         = "email"
  labels       = { email_address = var.alerts_to }
  depends_on   = [google_project_service.used]
}

output "bucket" {
  value = google_storage_bucket.data.name
}
