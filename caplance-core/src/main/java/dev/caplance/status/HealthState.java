package dev.caplance.status;

import com.google.gson.annotations.SerializedName;

/** Whether an application is able to serve. */
public enum HealthState {
  /** Nothing is known yet. */
  @SerializedName("unknown")
  UNKNOWN,
  /** It is. */
  @SerializedName("fit")
  HEALTHY,
  /** It is not: no new flows go there. */
  @SerializedName("unfit")
  UNHEALTHY
}
