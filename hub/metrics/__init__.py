"""Prometheus metrics of the course service and of grading; no student is named in them."""

from hub.metrics.access import metrics_route
from hub.metrics.course import CourseMetrics
from hub.metrics.requests import RequestMetrics, RequestTimes
from hub.metrics.stored import StoredMetrics

__all__ = ["CourseMetrics", "RequestMetrics", "RequestTimes", "StoredMetrics", "metrics_route"]
