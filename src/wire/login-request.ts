/** The body of `POST /auth`; the names are those of the files that clients keep it in. */
export interface LoginRequest {
  readonly username: string;
  readonly password: string;
  /** User and password together, as files keep them; not used here. */
  readonly auth: string;
  readonly email: string;
  readonly serveraddress: string;
  readonly identitytoken: string;
  readonly registrytoken: string;
}
