/** A volume, as create, list and inspect show it. */
export interface Volume {
  readonly CreatedAt: string;
  readonly Driver: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Mountpoint: string;
  readonly Name: string;
  readonly Options: Readonly<Record<string, string>> | null;
  readonly Scope: string;
}

/** The answer of `GET /volumes`. */
export interface VolumeList {
  readonly Volumes: readonly Volume[];
  readonly Warnings: readonly string[] | null;
}

/** The body of `POST /volumes/create`, decoded. */
export interface VolumeCreateRequest {
  /** Empty for a volume without a name of the client's. */
  readonly name: string;
  readonly driver: string;
  readonly driverOpts: Readonly<Record<string, string>> | null;
  readonly labels: Readonly<Record<string, string>> | null;
  /** Whether a volume of a swarm is asked for; what it says of it is not read. */
  readonly clusterVolumeSpec: boolean;
}

/** The answer of `POST /volumes/prune`. */
export interface VolumesPruned {
  readonly VolumesDeleted: readonly string[];
  readonly SpaceReclaimed: number;
}
